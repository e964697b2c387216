package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"moviepipeline/internal/dq"
)

// named is how many of a row's first columns tell which row it is.
const named = 2

type qualityRule struct {
	Rule    string             `json:"rule"`
	Outcome string             `json:"outcome"`
	Reason  *string            `json:"reason"`
	Metrics map[string]float64 `json:"metrics"`
	Labels  map[string]string  `json:"labels,omitempty"`
}

type qualityResult struct {
	Passed    int           `json:"passed"`
	Failed    int           `json:"failed"`
	Rules     []qualityRule `json:"rules"`
	Analyzers []dq.Analyzer `json:"analyzers,omitempty"`
	Rows      struct {
		Total  int64 `json:"total"`
		Failed int64 `json:"failed"`
	} `json:"rows"`
}

// QualityJSON writes an evaluation of rules for programs.
func QualityJSON(out io.Writer, result *dq.Result) error {
	written := qualityResult{Passed: result.Passed, Failed: result.Failed, Analyzers: result.Analyzers, Rules: []qualityRule{}}
	written.Rows = result.Rows
	for _, rule := range result.Rules {
		written.Rules = append(written.Rules, qualityRule{rule.Rule, rule.Outcome, rule.Reason, rule.Metrics, rule.Labels})
	}
	return JSON(out, written)
}

// QualityTable writes an evaluation of rules for people. `file` has the failing rows; empty for none.
func QualityTable(out io.Writer, result *dq.Result, file string) error {
	colours := paint{colourful(out)}
	// The rules come last: rows may be many, and what a person is to see first stands at the end.
	qualityRows(out, colours, result)
	fmt.Fprintln(out)
	qualityRules(out, colours, result.Rules)
	qualityAnalyzers(out, colours, result.Analyzers)
	fmt.Fprintf(out, "\n%d of %d rules passed; %s of %s rows break a rule", result.Passed, len(result.Rules), count(&result.Rows.Failed), count(&result.Rows.Total))
	switch {
	case file != "" && result.Rows.Failed > 0:
		fmt.Fprintf(out, "; they are in %s\n", file)
	case result.Rows.Failed > 0:
		fmt.Fprintln(out, "; --rows FILE writes them")
	default:
		fmt.Fprintln(out)
	}
	return nil
}

func qualityRules(out io.Writer, colours paint, rules []dq.Rule) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"outcome", "rows", "rule", "metrics", "reason"})
	writer.SetColumnConfigs(append(rightAligned(2, 2), table.ColumnConfig{Number: 3, WidthMax: widest, WidthMaxEnforcer: text.WrapSoft}))
	for _, rule := range rules {
		outcome := colours.good(rule.Outcome)
		switch {
		case !rule.Evaluated:
			outcome = colours.bad("Not evaluated")
		case rule.Outcome != "Passed":
			outcome = colours.bad(rule.Outcome)
		}
		writer.AppendRow(table.Row{outcome, count(rule.BrokenBy), oneLine(rule.Rule), measured(rule.Metrics), optional(rule.Reason)})
	}
	writer.Render()
}

func qualityAnalyzers(out io.Writer, colours paint, analyzers []dq.Analyzer) {
	if len(analyzers) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", colours.bold("Analyzers"))
	writer := newTable(out)
	writer.AppendHeader(table.Row{"analyzer", "metrics", "reason"})
	for _, analyzer := range analyzers {
		writer.AppendRow(table.Row{oneLine(analyzer.Analyzer), measured(analyzer.Metrics), optional(analyzer.Reason)})
	}
	writer.Render()
}

// qualityRows shows failing rows: which they are, the rules they break, and the values that break them.
func qualityRows(out io.Writer, colours paint, result *dq.Result) {
	if len(result.Failing) == 0 {
		return
	}
	title := "Rows that break a rule"
	if int64(len(result.Failing)) < result.Rows.Failed {
		title += fmt.Sprintf(", %d of %s", len(result.Failing), count(&result.Rows.Failed))
	}
	fmt.Fprintf(out, "\n%s\n", colours.bold(title))
	writer := newTable(out)
	first := result.Failing[0].Values
	header := table.Row{}
	for _, pair := range first[:min(named, len(first))] {
		header = append(header, *pair[0])
	}
	writer.AppendHeader(append(header, "value", "rule"))
	writer.SetColumnConfigs(narrow(len(header) + 2))
	for _, row := range result.Failing {
		cells := table.Row{}
		for _, pair := range row.Values[:min(named, len(row.Values))] {
			cells = append(cells, shown(pair[1]))
		}
		for _, rule := range row.Rules {
			writer.AppendRow(append(slices.Clone(cells), values(row, rule), oneLine(rule)))
		}
	}
	writer.Render()
}

func narrow(columns int) []table.ColumnConfig {
	configs := make([]table.ColumnConfig, columns)
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widest / 2, WidthMaxEnforcer: shorten}
	}
	configs[columns-1].WidthMax = widest
	return configs
}

// values are those of the columns that a rule names.
func values(row dq.FailingRow, rule string) string {
	var found []string
	lower := strings.ToLower(rule)
	for _, pair := range row.Values {
		if strings.Contains(lower, `"`+strings.ToLower(*pair[0])+`"`) {
			found = append(found, shown(pair[1]))
		}
	}
	return strings.Join(found, ", ")
}

// shown is a value as it is to be told apart from no value.
func shown(value *string) string {
	switch {
	case value == nil:
		return "NULL"
	case strings.TrimSpace(*value) == "":
		return strconv.Quote(*value)
	default:
		return cell(*value)
	}
}

func measured(of map[string]float64) string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		short := strings.TrimPrefix(name, "Dataset.*.")
		found = append(found, short+" = "+strconv.FormatFloat(of[name], 'g', 6, 64))
	}
	return strings.Join(found, "\n")
}

func optional(words *string) string {
	if words == nil {
		return ""
	}
	return *words
}
