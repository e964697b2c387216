package insights

import (
	"math"
	"slices"
	"strconv"
)

// significant is the two-sided 5 percent point of the normal distribution.
const significant = 1.96

// rules are what sentences can be about.
var rules = map[string]rule{
	// The row with the greatest value. It leads clearly when the second is more than a tenth below
	// it, or, where the values have margins, when the two intervals do not touch.
	"leader": {
		must: []string{"label", "value"}, may: []string{"detail", "margin"},
		outcomes: []string{"clear", "close"},
		facts:    []string{"first", "first.value", "second", "second.value", "last", "last.value", "middle.value", "ratio"},
		atLeast:  3, find: leader,
	},
	// The greatest value against the least. They differ when their intervals do not touch.
	"spread": {
		must: []string{"label", "value", "margin"}, may: []string{"detail"},
		outcomes: []string{"apart", "close"},
		facts:    []string{"first", "first.value", "first.margin", "last", "last.value", "last.margin"},
		atLeast:  3, find: spread,
	},
	// Whether a value rises or falls along another: the Mann-Kendall test with its correction for
	// ties (Kendall, Rank Correlation Methods, 1970). From and to are the means of the first and the
	// last fifth. These must differ the same way as they are written, or nothing is said of a trend.
	"trend": {
		must:     []string{"x", "y"},
		outcomes: []string{"rising", "falling", "steady"},
		facts:    []string{"from", "to", "from.x", "to.x", "first.x", "last.x", "peak", "peak.x"},
		atLeast:  8, find: trend,
	},
	// Pearson's correlation with its 95 percent interval by Fisher's transformation.
	"correlation": {
		must:     []string{"x", "y"},
		outcomes: []string{"strong", "moderate", "weak", "none", "opposite"},
		facts:    []string{"r", "r.low", "r.high"},
		atLeast:  30, find: correlation,
	},
	// Whether counts differ from an even distribution by more than chance: Pearson's chi-squared
	// test, its 5 percent point by Wilson and Hilferty's approximation.
	"uneven": {
		must: []string{"label", "count"}, may: []string{"detail"},
		outcomes: []string{"uneven", "even"},
		facts:    []string{"first", "first.share", "last", "last.share", "even.share", "total"},
		atLeast:  2, find: uneven,
	},
	// Which of two values of a row is greater more often: the sign test.
	"gap": {
		must: []string{"label", "from", "to"}, may: []string{"detail"},
		outcomes: []string{"above", "below", "mixed"},
		facts:    []string{"above", "below", "mean.gap", "widest", "widest.from", "widest.to"},
		atLeast:  6, find: gap,
	},
	// Which share of a whole changed most between the first and the last x with at least 30 counts: the
	// test of two proportions, stricter for the number of groups that were looked at (Bonferroni).
	"shift": {
		must:     []string{"label", "x", "share", "count"},
		outcomes: []string{"shift", "steady"},
		facts:    []string{"up", "up.from", "up.to", "down", "down.from", "down.to", "from.x", "to.x"},
		atLeast:  4, find: shift,
	},
	// How much of the whole the greatest tenth of the rows has.
	"concentration": {
		must:     []string{"value"},
		outcomes: []string{"share"},
		facts:    []string{"top", "top.share", "total"},
		atLeast:  20, find: concentration,
	},
}

func leader(s sample) finding {
	rows := s.by("value")
	values := func(i int) float64 { n, _ := number(rows[i]["value"]); return n }
	middle := median(s.numbers("value"))
	outcome := "close"
	if _, margins := s.chart.Sentence.Of["margin"]; margins && apart(rows[0], rows[1]) || !margins && values(0) > 1.1*values(1) {
		outcome = "clear"
	}
	facts := map[string]string{"middle.value": s.amount("value", middle), "ratio": ratio(values(0), middle)}
	s.tell(facts, "first", rows[0])
	s.tell(facts, "second", rows[1])
	s.tell(facts, "last", rows[len(rows)-1])
	return finding{outcome, facts}
}

// tell adds a row's name, value and margin to the facts.
func (s sample) tell(facts map[string]string, place string, row map[string]any) {
	facts[place] = s.name(row)
	facts[place+".value"] = s.show("value", row["value"])
	if margin, has := row["margin"]; has {
		facts[place+".margin"] = s.show("margin", margin)
	}
}

// apart tells whether the interval of the greater row lies above that of the smaller.
func apart(greater, smaller map[string]any) bool {
	a, _ := number(greater["value"])
	b, _ := number(smaller["value"])
	marginA, _ := number(greater["margin"])
	marginB, _ := number(smaller["margin"])
	return a-marginA > b+marginB
}

func ratio(a, b float64) string {
	if b <= 0 {
		return missing
	}
	if a/b >= 9.95 {
		return thousands(a/b, 0)
	}
	return thousands(a/b, 1)
}

func spread(s sample) finding {
	rows := s.by("value")
	outcome := "close"
	if apart(rows[0], rows[len(rows)-1]) {
		outcome = "apart"
	}
	facts := map[string]string{}
	s.tell(facts, "first", rows[0])
	s.tell(facts, "last", rows[len(rows)-1])
	return finding{outcome, facts}
}

func trend(s sample) finding {
	rows := s.by("x")
	slices.Reverse(rows)
	s.rows = rows
	values := s.numbers("y")
	fifth := max(1, len(values)/5)
	from, to := mean(values[:fifth]), mean(values[len(values)-fifth:])
	outcome := "steady"
	switch z := mannKendall(values); {
	case s.amount("y", from) == s.amount("y", to):
	case z > significant && to > from:
		outcome = "rising"
	case z < -significant && to < from:
		outcome = "falling"
	}
	last := len(rows) - 1
	peak := slices.Index(values, slices.Max(values))
	return finding{outcome, map[string]string{
		"from": s.amount("y", from), "to": s.amount("y", to),
		"from.x": s.span(rows[0], rows[fifth-1]), "to.x": s.span(rows[last-fifth+1], rows[last]),
		"first.x": s.show("x", rows[0]["x"]), "last.x": s.show("x", rows[last]["x"]),
		"peak": s.show("y", rows[peak]["y"]), "peak.x": s.show("x", rows[peak]["x"]),
	}}
}

// span writes from and to of x.
func (s sample) span(from, to map[string]any) string {
	a, b := s.show("x", from["x"]), s.show("x", to["x"])
	if a == b {
		return a
	}
	return a + " to " + b
}

// mannKendall is the test's statistic, normal under no trend; 0 when all values are equal.
func mannKendall(values []float64) float64 {
	n := float64(len(values))
	score, variance := 0.0, n*(n-1)*(2*n+5)
	equal := map[float64]float64{}
	for i, value := range values {
		equal[value]++
		for _, earlier := range values[:i] {
			score += sign(value - earlier)
		}
	}
	for _, ties := range equal {
		variance -= ties * (ties - 1) * (2*ties + 5)
	}
	if variance <= 0 {
		return 0
	}
	return (score - sign(score)) / math.Sqrt(variance/18)
}

func correlation(s sample) finding {
	r := pearson(s.numbers("x"), s.numbers("y"))
	width := significant / math.Sqrt(float64(len(s.rows)-3))
	low, high := math.Tanh(math.Atanh(r)-width), math.Tanh(math.Atanh(r)+width)
	outcome := "none"
	switch {
	case high < 0:
		outcome = "opposite"
	case low > 0 && r >= 0.6:
		outcome = "strong"
	case low > 0 && r >= 0.3:
		outcome = "moderate"
	case low > 0:
		outcome = "weak"
	}
	write := func(n float64) string { return show(strconv.FormatFloat(n, 'f', -1, 64), "r") }
	return finding{outcome, map[string]string{"r": write(r), "r.low": write(low), "r.high": write(high)}}
}

// pearson is the correlation; 0 where one of the two does not vary.
func pearson(x, y []float64) float64 {
	meanX, meanY := mean(x), mean(y)
	var both, squareX, squareY float64
	for i := range x {
		both += (x[i] - meanX) * (y[i] - meanY)
		squareX += (x[i] - meanX) * (x[i] - meanX)
		squareY += (y[i] - meanY) * (y[i] - meanY)
	}
	if squareX == 0 || squareY == 0 {
		return 0
	}
	// A perfect correlation has no interval; one just below it has.
	return max(-0.9999, min(0.9999, both/math.Sqrt(squareX*squareY)))
}

func uneven(s sample) finding {
	rows, counts := s.by("count"), s.numbers("count")
	total := sum(counts)
	expected := total / float64(len(counts))
	// The test wants five in each place; https://www.itl.nist.gov/div898/handbook/eda/section3/eda35f.htm
	if expected < 5 {
		return finding{outcome: few}
	}
	distance := 0.0
	for _, count := range counts {
		distance += (count - expected) * (count - expected) / expected
	}
	outcome := "even"
	if distance > chiSquared(float64(len(counts)-1)) {
		outcome = "uneven"
	}
	share := func(row map[string]any) string { n, _ := number(row["count"]); return percent(n, total) }
	first, last := rows[0], rows[len(rows)-1]
	return finding{outcome, map[string]string{
		"first": s.name(first), "first.share": share(first),
		"last": s.name(last), "last.share": share(last),
		"even.share": percent(expected, total), "total": s.amount("count", total),
	}}
}

// chiSquared is the 5 percent point for degrees of freedom.
func chiSquared(freedom float64) float64 {
	part := 2 / (9 * freedom)
	return freedom * math.Pow(1-part+1.645*math.Sqrt(part), 3)
}

func gap(s sample) finding {
	from, to := s.numbers("from"), s.numbers("to")
	above, below, widest, gaps := 0, 0, 0, make([]float64, len(from))
	for i := range from {
		gaps[i] = to[i] - from[i]
		switch {
		case gaps[i] > 0:
			above++
		case gaps[i] < 0:
			below++
		}
		if math.Abs(gaps[i]) > math.Abs(gaps[widest]) {
			widest = i
		}
	}
	outcome := "mixed"
	if decided := float64(above + below); math.Abs(float64(above-below))-1 > significant*math.Sqrt(decided) {
		outcome = map[bool]string{true: "above", false: "below"}[above > below]
	}
	row := s.rows[widest]
	return finding{outcome, map[string]string{
		"above": thousands(float64(above), 0), "below": thousands(float64(below), 0),
		"mean.gap": s.amount("from", math.Abs(mean(gaps))),
		"widest":   s.name(row), "widest.from": s.show("from", row["from"]), "widest.to": s.show("to", row["to"]),
	}}
}

func concentration(s sample) finding {
	values := s.numbers("value")
	slices.SortFunc(values, func(a, b float64) int { return int(sign(b - a)) })
	total := sum(values)
	if total <= 0 {
		return finding{outcome: few}
	}
	top := max(1, len(values)/10)
	return finding{"share", map[string]string{
		"top": thousands(float64(top), 0), "top.share": percent(sum(values[:top]), total), "total": s.amount("value", total),
	}}
}

// percent writes small parts with a digit more, so that they can be told apart.
func percent(part, whole float64) string {
	share := 100 * part / whole
	if share > 0 && share < 1 {
		return thousands(share, 2) + "%"
	}
	return thousands(share, 1) + "%"
}

func sign(n float64) float64 {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}

func sum(values []float64) float64 {
	total := 0.0
	for _, value := range values {
		total += value
	}
	return total
}

func mean(values []float64) float64 { return sum(values) / float64(len(values)) }

func median(values []float64) float64 {
	ordered := slices.Sorted(slices.Values(values))
	half := len(ordered) / 2
	if len(ordered)%2 == 1 {
		return ordered[half]
	}
	return (ordered[half-1] + ordered[half]) / 2
}
