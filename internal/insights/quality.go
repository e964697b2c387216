package insights

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/quality"
)

// qualityID is the section of the page that tells how the rules fared.
const qualityID = "quality"

// titles are the names of rulesets on the page, with whom their rules held for.
var titles = map[string]struct{ title, whom string }{
	"gate": {"Gate", " for the batch"},
	"rows": {"Row rules", " for every row"},
}

// rulesetView is how the rules of a ruleset fared in the latest run.
type rulesetView struct {
	Title, Whom, Score string
	// Held tells of each rule, in the order of the file, whether it held.
	Held []bool
	// Before is the score in the batch of the date BeforeDate, the one before; empty when none is known.
	Before, BeforeDate string
}

// Passed is how many of the rules held.
func (r rulesetView) Passed() int {
	passed := 0
	for _, held := range r.Held {
		if held {
			passed++
		}
	}
	return passed
}

// addQuality adds to the datasets of the latest run how their rules fared, then and over the latest runs.
func (v *view) addQuality(report Report) {
	for i := range v.Datasets {
		dataset := &v.Datasets[i]
		batches := judgedBatches(report, dataset.Name)
		for _, evaluation := range report.Evaluations[v.Latest.Execution] {
			if evaluation.Dataset == dataset.Name {
				dataset.addReasons(evaluation.Rules)
				dataset.Rulesets = append(dataset.Rulesets, rulesetOf(evaluation, batches))
			}
		}
		v.Judged = v.Judged || len(batches) > 0
		if len(batches) > 1 {
			chart := v.Page.Charts.Quality
			chart.Title = strings.ReplaceAll(chart.Title, "{dataset}", dataset.Name)
			v.Trends = append(v.Trends, v.addChart(chart, trendOf(dataset.Name, batches)))
		}
	}
}

// addReasons tells why rules about the whole batch did not hold.
func (d *datasetView) addReasons(rules []quality.Rule) {
	for i := range d.Rules {
		for _, rule := range rules {
			if d.Rules[i].Rows == nil && rule.Rule == d.Rules[i].Rule && rule.Reason != nil {
				d.Rules[i].Reason = *rule.Reason
			}
		}
	}
}

func rulesetOf(evaluation quality.Evaluation, batches []judgedBatch) rulesetView {
	of := titles[evaluation.Ruleset]
	seen := rulesetView{Title: of.title, Whom: of.whom, Score: percent(evaluation.Score, 1)}
	for _, rule := range evaluation.Rules {
		seen.Held = append(seen.Held, rule.Result == "PASS")
	}
	for _, batch := range batches {
		if score, judged := batch.scores[evaluation.Ruleset]; judged && batch.date < evaluation.Date {
			seen.Before, seen.BeforeDate = percent(score, 1), batch.date
		}
	}
	return seen
}

// judgedBatch is a batch of a dataset with the scores of its rulesets, 0 to 1.
type judgedBatch struct {
	date   string
	scores map[string]float64
	// counts are those of the newest run that judged it.
	counts execution.Dataset
}

// judgedBatches gives the batches of a dataset whose results are kept, in the order of their dates. As in
// analytics.rule_results, the newest evaluation of each ruleset counts.
func judgedBatches(report Report, dataset string) []judgedBatch {
	byDate := map[string]judgedBatch{}
	for _, run := range report.Runs {
		for _, evaluation := range report.Evaluations[run.Execution] {
			if evaluation.Dataset != dataset {
				continue
			}
			if _, known := byDate[evaluation.Date]; !known {
				byDate[evaluation.Date] = judgedBatch{evaluation.Date, map[string]float64{}, run.Datasets[dataset]}
			}
			if _, newer := byDate[evaluation.Date].scores[evaluation.Ruleset]; !newer {
				byDate[evaluation.Date].scores[evaluation.Ruleset] = evaluation.Score
			}
		}
	}
	var batches []judgedBatch
	for _, date := range slices.Sorted(maps.Keys(byDate)) {
		batches = append(batches, byDate[date])
	}
	return batches
}

// trendOf makes of batches what charts/quality.json draws, under a name that no mart has.
func trendOf(dataset string, batches []judgedBatch) Mart {
	trend := Mart{
		Name:    qualityID + "-" + dataset,
		Columns: []string{"ingest_date", "gate_percent", "rows_percent", "rows_read", "quarantined_percent"},
	}
	for _, batch := range batches {
		trend.Rows = append(trend.Rows, Row{
			batch.date, batch.percent("gate"), batch.percent("rows"), batch.read(), batch.quarantined(),
		})
	}
	return trend
}

// percent is the score of a ruleset as a value of a mart; nil where it was not evaluated.
func (b judgedBatch) percent(ruleset string) any {
	score, judged := b.scores[ruleset]
	if !judged {
		return nil
	}
	return decimal(100 * score)
}

func (b judgedBatch) read() any {
	if b.counts.Read == nil {
		return nil
	}
	return decimal(float64(*b.counts.Read))
}

func (b judgedBatch) quarantined() any {
	read, quarantined := b.counts.Read, b.counts.Quarantined
	if read == nil || quarantined == nil || *read == 0 {
		return nil
	}
	return decimal(100 * float64(*quarantined) / float64(*read))
}

func decimal(n float64) json.Number { return json.Number(strconv.FormatFloat(n, 'f', -1, 64)) }
