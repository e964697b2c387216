package insights

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Sentence is what a chart says in one sentence: a rule finds the outcome and the facts in the
// data, the file has the words for each outcome. Nothing is said that the rule did not find.
type Sentence struct {
	Rule string `json:"rule"`
	// Of names the columns that the rule looks at.
	Of map[string]string `json:"of"`
	// Without leaves out the rows that have this text in a column, since they say nothing.
	Without map[string]string `json:"without,omitempty"`
	// AtLeast is how many rows it takes to say anything; without it the rule's own number.
	AtLeast int `json:"at_least,omitempty"`
	// Say has the words for each outcome. {fact} stands for what the rule found.
	Say map[string]string `json:"say"`
}

// tooFew is the outcome of every rule that has too few rows, and what is said then.
const (
	few       = "few"
	fewSaying = "There are too few rows to say anything: it takes {at_least}, and here are {rows}."
)

// finding is what a rule found: an outcome and facts, each already in the format of its column.
type finding struct {
	outcome string
	facts   map[string]string
}

// rule turns the rows of a mart into a finding.
type rule struct {
	must, may []string
	outcomes  []string
	facts     []string
	// atLeast is how many rows it takes.
	atLeast int
	find    func(sample) finding
}

var word = regexp.MustCompile(`\{([^{}]*)\}`)

func (s Sentence) check() error {
	found, known := rules[s.Rule]
	if !known {
		return fmt.Errorf("sentence: rule %q is none of %s", s.Rule, strings.Join(slices.Sorted(maps.Keys(rules)), ", "))
	}
	for _, column := range found.must {
		if s.Of[column] == "" {
			return fmt.Errorf("sentence: rule %s needs the column `of.%s`", s.Rule, column)
		}
	}
	for column := range s.Of {
		if !slices.Contains(found.must, column) && !slices.Contains(found.may, column) {
			return fmt.Errorf("sentence: rule %s takes no column `of.%s`", s.Rule, column)
		}
	}
	for _, outcome := range found.outcomes {
		if s.Say[outcome] == "" {
			return fmt.Errorf("sentence: rule %s needs words for the outcome %q", s.Rule, outcome)
		}
	}
	for outcome, words := range s.Say {
		if outcome != few && !slices.Contains(found.outcomes, outcome) {
			return fmt.Errorf("sentence: rule %s has no outcome %q", s.Rule, outcome)
		}
		for _, match := range word.FindAllStringSubmatch(words, -1) {
			if !slices.Contains(found.known(outcome), match[1]) {
				return fmt.Errorf("sentence: rule %s does not find {%s} for the outcome %q, but: %s",
					s.Rule, match[1], outcome, strings.Join(found.known(outcome), ", "))
			}
		}
	}
	return nil
}

// known are the facts that words for an outcome may name.
func (r rule) known(outcome string) []string {
	always := []string{"rows", "at_least"}
	if outcome == few {
		return always
	}
	return append(always, r.facts...)
}

// sentence says what the rows of the mart support; it is no finding when there are too few.
func (c Chart) sentence(mart Mart) (text string, isFinding bool) {
	of := rules[c.Sentence.Rule]
	rows := sampleOf(c, mart)
	atLeast := cmp.Or(c.Sentence.AtLeast, of.atLeast)
	found := finding{outcome: few}
	if len(rows.rows) >= atLeast {
		found = of.find(rows)
	}
	facts := map[string]string{"rows": thousands(float64(len(rows.rows)), 0), "at_least": strconv.Itoa(atLeast)}
	maps.Copy(facts, found.facts)
	words := c.Sentence.Say[found.outcome]
	if words == "" {
		words = fewSaying
	}
	text = word.ReplaceAllStringFunc(words, func(name string) string { return facts[strings.Trim(name, "{}")] })
	return text, found.outcome != few
}

// sample is the rows in which all columns of a rule have a value.
type sample struct {
	chart Chart
	rows  []map[string]any
}

func sampleOf(chart Chart, mart Mart) sample {
	found := sample{chart: chart}
	for _, row := range mart.Rows {
		if chart.Sentence.leavesOut(mart, row) {
			continue
		}
		values := map[string]any{}
		for use, column := range chart.Sentence.Of {
			if place := mart.column(column); place >= 0 && row[place] != nil {
				values[use] = row[place]
			}
		}
		if len(values) == len(chart.Sentence.Of) {
			found.rows = append(found.rows, values)
		}
	}
	return found
}

func (s Sentence) leavesOut(mart Mart, row Row) bool {
	for column, text := range s.Without {
		if place := mart.column(column); place >= 0 && fmt.Sprint(row[place]) == text {
			return true
		}
	}
	return false
}

// show writes a value of a column.
func (s sample) show(use string, value any) string {
	return say(value, s.chart.column(s.chart.Sentence.Of[use]).Format)
}

// amount writes a number that was computed in the format of a column.
func (s sample) amount(use string, value float64) string {
	return s.show(use, strconv.FormatFloat(value, 'f', -1, 64))
}

// numbers are the values of a column as numbers.
func (s sample) numbers(use string) []float64 {
	values := make([]float64, len(s.rows))
	for i, row := range s.rows {
		values[i], _ = number(row[use])
	}
	return values
}

// by orders the rows by a column, the greatest first.
func (s sample) by(use string) []map[string]any {
	return slices.SortedStableFunc(slices.Values(s.rows), func(a, b map[string]any) int {
		return compare(a[use], b[use], true)
	})
}

// name is the label of a row, with the detail where the rule has one.
func (s sample) name(row map[string]any) string {
	name := s.show("label", row["label"])
	detail, has := row["detail"]
	switch {
	case !has:
		return name
	case s.chart.Join != "":
		return name + s.chart.Join + s.show("detail", detail)
	}
	return name + " (" + s.show("detail", detail) + ")"
}
