package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"moviepipeline/internal/dq"
)

// mostRules is how many of the rules that caught a fault are named; more are counted.
const mostRules = 2

// Recommendation writes what a proposed ruleset would catch, and what was left out of it.
func Recommendation(out io.Writer, result *dq.Recommendation) {
	colours := paint{colourful(out)}
	fmt.Fprintf(out, "\n%d rules, each of which the data pass: %s rows were evaluated.\n", result.Rules, count(&result.Rows))
	for _, each := range result.LeftOut {
		fmt.Fprintf(out, "Left out: %s\n  %s\n", each.Rule, each.Why)
	}
	trials(out, colours, "Faults that any data can have", result.Faults)
	if result.Dataset != "" {
		trials(out, colours, "Faults planted in samples of "+result.Dataset, result.Planted)
	}
}

func trials(out io.Writer, colours paint, title string, trials []dq.Trial) {
	fmt.Fprintf(out, "\n%s\n", colours.bold(title))
	writer := newTable(out)
	writer.AppendHeader(table.Row{"fault", "caught", "by", "not caught in"})
	for _, trial := range trials {
		caught := fmt.Sprintf("%d of %d", trial.Caught, trial.Tried)
		if trial.Caught == 0 {
			caught = colours.bad("not caught")
		} else if trial.Caught == trial.Tried {
			caught = colours.good(caught)
		}
		writer.AppendRow(table.Row{trial.Fault, caught, someRules(trial.Rules), strings.Join(trial.Missed, ", ")})
	}
	writer.Render()
}

func someRules(rules []string) string {
	if len(rules) <= mostRules {
		return strings.Join(rules, "\n")
	}
	return fmt.Sprintf("%s\nand %d more", strings.Join(rules[:mostRules], "\n"), len(rules)-mostRules)
}
