package execution

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Expected counts the steps of a workflow for a number of datasets, from its definition in the
// Amazon States Language: those outside of the map over the datasets once, those inside for each.
func Expected(definition string, datasets int) (int, error) {
	var machine struct {
		States map[string]state
	}
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		return 0, fmt.Errorf("definition of the workflow: %w", err)
	}
	outside, inside := map[string]bool{}, map[string]bool{}
	collect(machine.States, outside, inside)
	return len(outside) + datasets*len(inside), nil
}

type state struct {
	ItemProcessor struct {
		States map[string]state
	}
}

// collect adds the steps of states to at; those of states inside a map go to inside.
func collect(states map[string]state, at, inside map[string]bool) {
	for name, state := range states {
		if step, _, named := strings.Cut(name, ":"); named && !slices.Contains(tellingSteps, step) {
			at[step] = true
		}
		collect(state.ItemProcessor.States, inside, inside)
	}
}
