package insights

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// said gives the outcome of a rule on rows of a label, a position x and numbers, and the facts.
func said(rule string, of map[string]string, rows ...[]any) string {
	formats := map[string]string{"label": "text", "detail": "decade", "x": "year", "share": "percent"}
	chart := Chart{Sentence: Sentence{Rule: rule, Of: map[string]string{}, Say: map[string]string{}}}
	if of["without"] != "" {
		chart.Sentence.Without = map[string]string{"x": of["without"]}
	}
	mart := Mart{}
	for _, use := range strings.Fields(of["columns"]) {
		format := formats[use]
		if format == "" {
			format = "points"
		}
		chart.Columns = append(chart.Columns, Column{use, use, format})
		chart.Sentence.Of[use] = use
		mart.Columns = append(mart.Columns, use)
	}
	for _, outcome := range rules[rule].outcomes {
		chart.Sentence.Say[outcome] = outcome + ": " + of["say"]
	}
	for _, row := range rows {
		values := make(Row, len(row))
		for i, value := range row {
			values[i] = value
			if _, isText := value.(string); !isText && value != nil {
				values[i] = json.Number(fmt.Sprint(value))
			}
		}
		mart.Rows = append(mart.Rows, values)
	}
	text, _ := chart.sentence(mart)
	return text
}

func TestLeader(t *testing.T) {
	of := map[string]string{"columns": "label value", "say": "{first} {first.value} {second} {last} {middle.value} {ratio}"}
	rows := [][]any{{"b", 50}, {"a", 100}, {"c", 20}, {"d", nil}}
	assert.Equal(t, "clear: a 100.0 b c 50.0 2.0", said("leader", of, rows...))
	rows[0][1] = 95
	assert.Equal(t, "close: a 100.0 b c 95.0 1.1", said("leader", of, rows...))
	assert.Equal(t, "There are too few rows to say anything: it takes 3, and here are 2.", said("leader", of, rows[:2]...))
}

func TestLeaderAndSpreadHeedMargins(t *testing.T) {
	of := map[string]string{"columns": "label detail value margin", "say": "{first} ± {first.margin} {last}"}
	rows := [][]any{{"a", 1990, 4.0, 0.1}, {"b", 1980, 3.7, 0.1}, {"c", 1970, 3.1, 0.1}}
	assert.Equal(t, "apart: a (1990s) ± 0.1 c (1970s)", said("spread", of, rows...))
	of["say"] = "{first}"
	assert.Equal(t, "clear: a (1990s)", said("leader", of, rows...))
	rows[1][3] = 0.3
	assert.Equal(t, "close: a (1990s)", said("leader", of, rows...))
	rows[2][3] = 0.9
	assert.Equal(t, "close: a (1990s)", said("spread", of, rows...))
}

func TestTrend(t *testing.T) {
	of := map[string]string{"columns": "x y", "say": "{from.x} {from} {to.x} {to} {peak.x} {peak}"}
	series := func(n int, y func(int) any) (rows [][]any) {
		for i := range n {
			rows = append(rows, []any{2000 + i, y(i)})
		}
		return rows
	}
	assert.Equal(t, "rising: 2000 to 2001 0.5 2008 to 2009 8.5 2009 9.0", said("trend", of, series(10, func(i int) any { return i })...))
	assert.Equal(t, "falling: 2000 to 2001 −0.5 2008 to 2009 −8.5 2000 0.0", said("trend", of, series(10, func(i int) any { return -i })...))
	assert.Contains(t, said("trend", of, series(10, func(i int) any { return i % 2 })...), "steady: ")
	assert.Contains(t, said("trend", of, series(10, func(int) any { return 7 })...), "steady: ", "all equal")
	hump := func(i int) any { return -(i - 5) * (i - 5) }
	assert.Contains(t, said("trend", of, series(11, hump)...), "steady: 2000 to 2001 −20.5 2009 to 2010 −20.5 2005 0.0")
	assert.Equal(t, "There are too few rows to say anything: it takes 8, and here are 7.",
		said("trend", of, series(9, func(i int) any { return map[bool]any{true: nil, false: i}[i < 2] })...))
}

// Most years fall a little, and low ones at the beginning lift the end above it: no sentence may tell of a fall
// to a greater number.
func TestTrendIsNotSaidAgainstItsNumbers(t *testing.T) {
	of := map[string]string{"columns": "x y", "say": "{from} {to}"}
	var rows [][]any
	var values []float64
	for i := range 20 {
		y := 9 - float64(i)/5
		if i < 3 {
			y = 2
		}
		rows, values = append(rows, []any{2000 + i, y}), append(values, y)
	}
	assert.Less(t, mannKendall(values), -significant)
	assert.Equal(t, "steady: 3.6 5.5", said("trend", of, rows...))

	tiny := [][]any{}
	for i := range 10 {
		tiny = append(tiny, []any{2000 + i, 5 + float64(i)/1000})
	}
	assert.Equal(t, "steady: 5.0 5.0", said("trend", of, tiny...), "a rise that its numbers do not show")
}

func TestSentenceLeavesRowsOut(t *testing.T) {
	of := map[string]string{"columns": "x y", "without": "2000", "say": "{rows} {from.x}"}
	var rows [][]any
	for i := range 10 {
		rows = append(rows, []any{2000 + i, i})
	}
	assert.Equal(t, "rising: 9 2001", said("trend", of, rows...))
}

// A test at 5 percent calls chance a trend in about one of twenty series.
func TestTrendIsRarelySeenInChance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	seen := 0
	for range 2000 {
		values := make([]float64, 12)
		for i := range values {
			values[i] = random.Float64()
		}
		if z := mannKendall(values); z > significant || z < -significant {
			seen++
		}
	}
	assert.InDelta(t, 100, seen, 40)
}

func TestCorrelation(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	of := map[string]string{"columns": "x y", "say": "{r} {r.low} {r.high}"}
	rows := func(n int, part float64) (rows [][]any) {
		for i := range n {
			rows = append(rows, []any{1900 + i, part*float64(i) + (1-max(part, -part))*random.Float64()*float64(n)})
		}
		return rows
	}
	assert.Contains(t, said("correlation", of, rows(200, 0.9)...), "strong: ")
	assert.Contains(t, said("correlation", of, rows(200, 0)...), "none: ")
	assert.Contains(t, said("correlation", of, rows(200, -0.9)...), "opposite: ")
	assert.Contains(t, said("correlation", of, rows(29, 1)...), "too few rows")
	assert.Contains(t, said("correlation", of, rows(30, 1)...), "strong: 1.00 1.00 1.00", "without any deviation")
}

func TestUneven(t *testing.T) {
	of := map[string]string{"columns": "label count", "say": "{first} {first.share} {last} {even.share} {total}"}
	assert.Equal(t, "uneven: a 60.0% c 33.3% 100.0", said("uneven", of, []any{"a", 60}, []any{"b", 25}, []any{"c", 15}))
	assert.Contains(t, said("uneven", of, []any{"a", 36}, []any{"b", 34}, []any{"c", 30}), "even: ")
	assert.Contains(t, said("uneven", of, []any{"a", 9}, []any{"b", 1}, []any{"c", 1}), "too few rows")
}

func TestGap(t *testing.T) {
	of := map[string]string{"columns": "label from to", "say": "{above} {below} {mean.gap} {widest} {widest.from} {widest.to}"}
	var rows [][]any
	for i := range 8 {
		rows = append(rows, []any{fmt.Sprint("f", i), 10, 11 + i})
	}
	assert.Equal(t, "above: 8 0 4.5 f7 10.0 18.0", said("gap", of, rows...))
	rows[0][2], rows[1][2], rows[2][2] = 1, 2, 3
	assert.Contains(t, said("gap", of, rows...), "mixed: 5 3 ")
}

func TestShift(t *testing.T) {
	of := map[string]string{"columns": "label x share count", "say": "{up} {up.from} {up.to} {down} {down.from} {down.to} {from.x} {to.x}"}
	rows := [][]any{
		{"old", 1940, 50, 5},
		{"a", 1950, 60, 60},
		{"b", 1950, 40, 40},
		{"a", 1960, 30, 30},
		{"b", 1960, 70, 70},
	}
	assert.Equal(t, "shift: b 40.0% 70.0% a 60.0% 30.0% 1950 1960", said("shift", of, rows...), "1940 has 10 alone")
	rows[3], rows[4] = []any{"a", 1960, 55, 55}, []any{"b", 1960, 45, 45}
	assert.Contains(t, said("shift", of, rows...), "steady: ")
	assert.Contains(t, said("shift", of, rows[:3]...), "too few rows")
}

func TestConcentration(t *testing.T) {
	of := map[string]string{"columns": "value", "say": "{top} {top.share} {total}"}
	var rows [][]any
	for i := range 20 {
		rows = append(rows, []any{map[bool]int{true: 91, false: 1}[i < 2]})
	}
	assert.Equal(t, "share: 2 91.0% 200.0", said("concentration", of, rows...))
	assert.Contains(t, said("concentration", of, rows[:19]...), "too few rows")
}
