package render

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"moviepipeline/internal/quality"
)

// History writes how rulesets fared over runs: the trend of each score, then each evaluation with the
// rules that did not pass.
func History(out io.Writer, evaluations []quality.Evaluation) {
	colours := paint{colourful(out)}
	fmt.Fprintf(out, "%s\n", colours.bold("Trend of the score, the newest run last"))
	trends := newTable(out)
	trends.AppendHeader(table.Row{"dataset", "ruleset", "runs", "trend", "lowest", "newest"})
	trends.SetColumnConfigs(append(rightAligned(3, 3), rightAligned(5, 6)...))
	for _, series := range scores(evaluations) {
		trends.AppendRow(table.Row{series.names[0], series.names[1], len(series.values), spark(series.values, 0, 1), percent(lowest(series.values)), percent(last(series.values))})
	}
	trends.Render()

	fmt.Fprintf(out, "\n%s\n", colours.bold("Runs"))
	runs := newTable(out)
	runs.AppendHeader(table.Row{"evaluated (UTC)", "batch", "dataset", "ruleset", "score", "did not pass", "run"})
	runs.SetColumnConfigs(append(rightAligned(5, 5), table.ColumnConfig{Number: 6, WidthMax: widest, WidthMaxEnforcer: shorten}))
	for _, one := range evaluations {
		runs.AppendRow(table.Row{one.At, one.Date, one.Dataset, one.Ruleset, percent(one.Score), notPassed(one), one.Execution})
	}
	runs.Render()
}

// RuleHistory writes how rules fared over runs: the trend of each number that they measured, then each
// result.
func RuleHistory(out io.Writer, evaluations []quality.Evaluation) {
	colours := paint{colourful(out)}
	fmt.Fprintf(out, "%s\n", colours.bold("Trend of what rules measured, the newest run last"))
	trends := newTable(out)
	trends.AppendHeader(table.Row{"dataset", "rule", "metric", "runs", "trend", "lowest", "newest"})
	trends.SetColumnConfigs(append(rightAligned(4, 4), append(rightAligned(6, 7), table.ColumnConfig{Number: 2, WidthMax: widest, WidthMaxEnforcer: shorten})...))
	for _, series := range metrics(evaluations) {
		low, high := lowest(series.values), highest(series.values)
		trends.AppendRow(table.Row{series.names[0], oneLine(series.names[1]), series.names[2], len(series.values), spark(series.values, low, high), number(low), number(last(series.values))})
	}
	trends.Render()

	fmt.Fprintf(out, "\n%s\n", colours.bold("Results"))
	results := newTable(out)
	results.AppendHeader(table.Row{"evaluated (UTC)", "batch", "dataset", "result", "rule", "reason", "run"})
	results.SetColumnConfigs([]table.ColumnConfig{
		{Number: 5, WidthMax: widest, WidthMaxEnforcer: shorten}, {Number: 6, WidthMax: widest, WidthMaxEnforcer: shorten},
	})
	for _, one := range evaluations {
		for _, rule := range one.Rules {
			reason := ""
			if rule.Reason != nil {
				reason = oneLine(*rule.Reason)
			}
			results.AppendRow(table.Row{one.At, one.Date, one.Dataset, rule.Result, oneLine(rule.Rule), reason, one.Execution})
		}
	}
	results.Render()
}

func notPassed(one quality.Evaluation) string {
	var rules []string
	for _, rule := range one.Rules {
		if rule.Result != "PASS" {
			rules = append(rules, oneLine(rule.Rule))
		}
	}
	if len(rules) > 1 {
		return fmt.Sprintf("%d rules: %s", len(rules), strings.Join(rules, "; "))
	}
	return strings.Join(rules, "")
}

// series is a number over runs under its names.
type series struct {
	names  [3]string
	values []float64
}

func scores(evaluations []quality.Evaluation) []*series {
	var all collection
	for _, one := range evaluations {
		all.add([3]string{one.Dataset, one.Ruleset}, one.Score)
	}
	return all
}

func metrics(evaluations []quality.Evaluation) []*series {
	var all collection
	for _, one := range evaluations {
		for _, rule := range one.Rules {
			for _, metric := range rule.Metrics {
				all.add([3]string{one.Dataset, rule.Rule, metric.Name}, metric.Value)
			}
		}
	}
	return all
}

type collection []*series

func (c *collection) add(names [3]string, value float64) {
	for _, known := range *c {
		if known.names == names {
			known.values = append(known.values, value)
			return
		}
	}
	*c = append(*c, &series{names, []float64{value}})
}

// longest is how many values a line of bars shows, the newest.
const longest = 30

// spark draws values as bars between the least and the most that they may be.
func spark(values []float64, least, most float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	if len(values) > longest {
		values = values[len(values)-longest:]
	}
	var line strings.Builder
	for _, value := range values {
		share := 1.0
		if most > least {
			share = (value - least) / (most - least)
		}
		line.WriteRune(bars[int(math.Round(max(0, min(1, share))*float64(len(bars)-1)))])
	}
	return line.String()
}

func lowest(values []float64) float64 {
	found := values[0]
	for _, value := range values {
		found = min(found, value)
	}
	return found
}

func highest(values []float64) float64 {
	found := values[0]
	for _, value := range values {
		found = max(found, value)
	}
	return found
}

func last(values []float64) float64 { return values[len(values)-1] }

// percent is rounded down, so that 100 % means all.
func percent(share float64) string { return fmt.Sprintf("%g %%", math.Floor(share*1000+1e-9)/10) }

func number(value float64) string {
	if value == math.Trunc(value) && math.Abs(value) < 1e15 {
		whole := int64(value)
		return count(&whole)
	}
	return fmt.Sprintf("%.4g", value)
}
