package warehouse

import (
	"fmt"
	"slices"
	"strings"

	"moviepipeline/internal/datasets"
)

// qualityFiles are all that the folder quality holds.
var qualityFiles = []string{"quarantine", "results", "staged", "tables"}

// quality adds what keeps the bad rows and the results of rules. One statement keeps those of all
// datasets, since the batch that loads takes few.
func (p *planner) quality(list []datasets.Dataset) error {
	found, err := p.namesIn("quality")
	if err != nil {
		return err
	}
	for _, name := range found {
		if !slices.Contains(qualityFiles, name) {
			return fmt.Errorf("%s is nobody's: quality holds %s alone", p.path("quality", name), strings.Join(qualityFiles, ", "))
		}
	}
	var staged []string
	for _, dataset := range list {
		one, err := p.readOne("quality", "staged", map[string]string{"dataset": dataset.Name})
		if err != nil {
			return err
		}
		staged = append(staged, one)
	}
	values := map[string]string{"staged": strings.Join(staged, "\nunion all\n")}
	if p.plan.Quarantine, err = p.readSome("quality", "quarantine", values, 2); err != nil {
		return err
	}
	if err := p.replaces(p.plan.Quarantine, "history.quarantine", p.path("quality", "quarantine")); err != nil {
		return err
	}
	if p.plan.Results, err = p.readSome("quality", "results", nil, 4); err != nil {
		return err
	}
	return p.replaces(p.plan.Results[2:], "audit.rule_results", p.path("quality", "results"))
}
