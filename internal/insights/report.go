package insights

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/quality"
)

// Prefixes of the reports in the artifacts bucket.
const (
	runsPrefix    = "reports/runs/"
	martsPrefix   = "reports/marts/"
	qualityPrefix = "reports/quality/"
)

// latestRuns is how many runs the page tells of; reading them all would take longer with every day.
const latestRuns = 14

// ErrNoRun means that no run has reported yet.
var ErrNoRun = errors.New("no run has left a report yet")

// Report is what the page is drawn from.
type Report struct {
	// Runs are the latest, the newest first: at least one.
	Runs []execution.Summary
	// Evaluations are how the rules fared in these runs, by the name of the execution. Runs that broke off
	// early have none, nor have those before results were kept.
	Evaluations map[string][]quality.Evaluation
	// Unloaded is the run whose marts are drawn: the newest that unloaded them, or nil.
	Unloaded *execution.Summary
	// Marts are those that this run unloaded, by name. One that is no longer made is not among them,
	// though its files still lie there.
	Marts []Mart
}

// Drawn is the run that the page is about: the one whose marts are drawn, or else the newest.
func (r Report) Drawn() execution.Summary {
	if r.Unloaded != nil {
		return *r.Unloaded
	}
	return r.Runs[0]
}

// Read gathers the reports.
func Read(ctx context.Context, objects Objects) (Report, error) {
	runs, err := readRuns(ctx, objects)
	if err != nil {
		return Report{}, err
	}
	if len(runs) == 0 {
		return Report{}, ErrNoRun
	}
	report := Report{Runs: runs}
	if report.Evaluations, err = readEvaluations(ctx, objects, runs); err != nil {
		return Report{}, err
	}
	for i := range runs {
		if len(runs[i].Marts) > 0 {
			report.Unloaded = &runs[i]
			report.Marts, err = readMarts(ctx, objects, runs[i].Marts)
			return report, err
		}
	}
	return report, nil
}

func readRuns(ctx context.Context, objects Objects) ([]execution.Summary, error) {
	found, err := objects.List(ctx, runsPrefix)
	if err != nil {
		return nil, err
	}
	// Names begin with the batch's date, which is not the order in which runs ended.
	slices.SortFunc(found, func(a, b Object) int {
		return -cmp.Or(a.Modified.Compare(b.Modified), strings.Compare(a.Key, b.Key))
	})
	found = found[:min(len(found), latestRuns)]
	return together(found, func(object Object) (execution.Summary, error) {
		content, err := objects.Get(ctx, object.Key)
		if err != nil {
			return execution.Summary{}, err
		}
		summary, err := execution.ParseSummary(content)
		if err != nil {
			return execution.Summary{}, fmt.Errorf("%s: %w", object.Key, err)
		}
		return summary, nil
	})
}

// readEvaluations gives the documents that the workflow wrote for each ruleset, those of a run in the order of
// their names: the gate before the rows.
func readEvaluations(ctx context.Context, objects Objects, runs []execution.Summary) (map[string][]quality.Evaluation, error) {
	read, err := together(runs, func(run execution.Summary) ([]quality.Evaluation, error) {
		found, err := objects.List(ctx, qualityPrefix+"execution="+run.Execution+"/")
		if err != nil {
			return nil, err
		}
		return readAll(ctx, objects, found)
	})
	evaluations := map[string][]quality.Evaluation{}
	for i, run := range runs {
		evaluations[run.Execution] = read[i]
	}
	return evaluations, err
}

func readAll(ctx context.Context, objects Objects, documents []Object) ([]quality.Evaluation, error) {
	evaluations := make([]quality.Evaluation, len(documents))
	for i, document := range documents {
		content, err := objects.Get(ctx, document.Key)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(content, &evaluations[i]); err != nil {
			return nil, fmt.Errorf("%s: results of rules: %w", document.Key, err)
		}
	}
	return evaluations, nil
}

func readMarts(ctx context.Context, objects Objects, names []string) ([]Mart, error) {
	found, err := objects.List(ctx, martsPrefix)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	for _, object := range found {
		mart, _, _ := strings.Cut(strings.TrimPrefix(object.Key, martsPrefix), "/")
		keys[mart] = append(keys[mart], object.Key)
	}
	return together(slices.Sorted(slices.Values(names)), func(name string) (Mart, error) {
		mart := Mart{Name: name}
		slices.Sort(keys[name])
		for _, key := range keys[name] {
			content, err := objects.Get(ctx, key)
			if err != nil {
				return Mart{}, err
			}
			if err := mart.add(content); err != nil {
				return Mart{}, fmt.Errorf("%s: %w", key, err)
			}
		}
		return mart, nil
	})
}

// readers is how many objects are read at a time.
const readers = 8

// together makes an outcome of each item, several at a time, in the order of the items.
func together[From, To any](items []From, work func(From) (To, error)) ([]To, error) {
	outcomes, failures := make([]To, len(items)), make([]error, len(items))
	places := make(chan struct{}, readers)
	var group sync.WaitGroup
	for i, item := range items {
		places <- struct{}{}
		group.Go(func() {
			outcomes[i], failures[i] = work(item)
			<-places
		})
	}
	group.Wait()
	return outcomes, errors.Join(failures...)
}
