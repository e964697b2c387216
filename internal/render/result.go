package render

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"moviepipeline/internal/execution"
)

// JSON writes any value as indented JSON, without escapes that only HTML needs.
func JSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// Result writes the outcome of a run for people: rows by dataset, then the rules that failed.
func Result(out io.Writer, result execution.Result) {
	colours := paint{colourful(out)}
	status := colours.good(result.Status)
	if result.Status == execution.Failed {
		status = colours.bad(result.Status)
	}
	fmt.Fprintf(out, "\nRun %s%s: %s\n", colours.bold(result.Execution), dated(result.IngestDate), status)
	names := slices.Sorted(maps.Keys(result.Datasets))
	if len(names) > 0 {
		fmt.Fprintln(out)
		rowCounts(out, result.Datasets, names)
	}
	for _, name := range names {
		if reason := result.Datasets[name].Reason; reason != nil && *reason != "" {
			fmt.Fprintf(out, "%s: %s\n", name, *reason)
		}
	}
	failedRules(out, colours, result.Datasets, names)
	warnings(out, colours, result.Datasets, names)
}

func dated(date string) string {
	if date == "" {
		return ""
	}
	return " of the batch " + date
}

func rowCounts(out io.Writer, datasets map[string]execution.Dataset, names []string) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"dataset", "status", "read", "processed", "quarantined", "duplicates", "loaded"})
	writer.SetColumnConfigs(rightAligned(3, 7))
	for _, name := range names {
		of := datasets[name]
		writer.AppendRow(table.Row{
			name, of.Status, count(of.Read), count(of.Processed), count(of.Quarantined), count(of.Duplicates), count(of.Loaded),
		})
	}
	writer.Render()
}

func failedRules(out io.Writer, colours paint, datasets map[string]execution.Dataset, names []string) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"dataset", "rows", "rule"})
	writer.SetColumnConfigs(rightAligned(2, 2))
	for _, name := range names {
		for _, failed := range datasets[name].FailedRules {
			writer.AppendRow(table.Row{name, count(failed.Rows), oneLine(failed.Rule)})
		}
	}
	if writer.Length() > 0 {
		fmt.Fprintf(out, "\n%s\n", colours.bold("Rules that failed"))
		writer.Render()
	}
}

// warnings writes what stopped nothing and yet may be news.
func warnings(out io.Writer, colours paint, datasets map[string]execution.Dataset, names []string) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"dataset", "warning"})
	for _, name := range names {
		for _, warning := range datasets[name].Warnings {
			writer.AppendRow(table.Row{name, oneLine(warning)})
		}
	}
	if writer.Length() > 0 {
		fmt.Fprintf(out, "\n%s\n", colours.bold("Warnings"))
		writer.Render()
	}
}

func rightAligned(from, to int) []table.ColumnConfig {
	var configs []table.ColumnConfig
	for number := from; number <= to; number++ {
		configs = append(configs, table.ColumnConfig{Number: number, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return configs
}

func oneLine(words string) string { return strings.Join(strings.Fields(words), " ") }

// Steps writes the steps of a run with their times.
func Steps(out io.Writer, steps []execution.Step) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"step", "dataset", "status", "time"})
	writer.SetColumnConfigs(rightAligned(4, 4))
	for _, step := range steps {
		dataset := ""
		if step.Dataset != nil {
			dataset = *step.Dataset
		}
		writer.AppendRow(table.Row{step.Name, dataset, step.Status, duration(step.Seconds)})
	}
	writer.Render()
}

// Runs writes a list of runs, the newest first.
func Runs(out io.Writer, runs []execution.Run, now time.Time) {
	writer := newTable(out)
	writer.AppendHeader(table.Row{"run", "status", "began", "took"})
	writer.SetColumnConfigs(rightAligned(4, 4))
	for _, run := range runs {
		ended := run.Ended
		if ended.IsZero() {
			ended = now
		}
		writer.AppendRow(table.Row{run.Name, run.Status, moment(run.Began), duration(ended.Sub(run.Began).Seconds())})
	}
	writer.Render()
}
