package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"moviepipeline/internal/quarantine"
)

// Quarantine writes the rows that were set aside for people: how many of each batch, by the rules they
// broke, and the first of them.
func Quarantine(out io.Writer, rows []quarantine.Row, most int) {
	colours := paint{colourful(out)}
	fmt.Fprintf(out, "%s\n", colours.bold("Rows in quarantine"))
	batches := newTable(out)
	batches.AppendHeader(table.Row{"dataset", "batch", "rows", "run"})
	batches.SetColumnConfigs(rightAligned(3, 3))
	for _, batch := range quarantine.CountByBatch(rows) {
		batches.AppendRow(table.Row{batch.Dataset, batch.Date, whole(batch.Rows), batch.Execution})
	}
	batches.Render()

	fmt.Fprintf(out, "\n%s\n", colours.bold("Rules that they broke"))
	rules := newTable(out)
	rules.AppendHeader(table.Row{"dataset", "rows", "rule"})
	rules.SetColumnConfigs(rightAligned(2, 2))
	for _, rule := range quarantine.CountByRule(rows) {
		rules.AppendRow(table.Row{rule.Dataset, whole(rule.Rows), oneLine(rule.Rule)})
	}
	rules.Render()

	shown := rows
	if most > 0 && len(rows) > most {
		shown = rows[:most]
	}
	fmt.Fprintf(out, "\n%s\n", colours.bold("The rows"))
	for _, row := range shown {
		fmt.Fprintf(out, "%s %s %s\n", row.Dataset, row.Date, colours.dim(row.ID))
		for _, rule := range row.Rules {
			fmt.Fprintf(out, "  %s %s\n", colours.bad("✗"), oneLine(rule))
		}
		fmt.Fprintf(out, "  %s\n", valuesOf(row))
	}
	if len(shown) < len(rows) {
		fmt.Fprintf(out, "… and %s more; --limit 0 shows all\n", whole(len(rows)-len(shown)))
	}
}

// valuesOf is a row on a line, without its blanks.
func valuesOf(row quarantine.Row) string {
	var values []string
	for _, column := range row.Columns {
		if text := row.Row[column]; strings.TrimSpace(text) != "" {
			values = append(values, column+"="+shorten(cell(text), widest))
		}
	}
	return strings.Join(values, "  ")
}

func whole(rows int) string {
	number := int64(rows)
	return count(&number)
}
