package insights

import (
	"maps"
	"math"
	"slices"
)

// proportion is a share of a whole of so many.
type proportion struct{ share, whole float64 }

// shift compares the shares of each label at the first and the last x with enough behind them.
func shift(s sample) finding {
	shares, ends := s.proportions()
	if len(ends) < 2 {
		return finding{outcome: few}
	}
	first, last := ends[0], ends[len(ends)-1]
	// What a mart leaves out may be too few to count, and is not known to be nothing.
	maps.DeleteFunc(shares, func(_ string, at map[float64]proportion) bool { return at[first].whole == 0 || at[last].whole == 0 })
	if len(shares) < 2 {
		return finding{outcome: few}
	}
	limit := bonferroni(len(shares))
	up, down, changed := "", "", false
	change := func(label string) float64 { return shares[label][last].share - shares[label][first].share }
	for label, at := range shares {
		changed = changed || math.Abs(proportions(at[first], at[last])) > limit
		if up == "" || change(label) > change(up) || change(label) == change(up) && label < up {
			up = label
		}
		if down == "" || change(label) < change(down) || change(label) == change(down) && label < down {
			down = label
		}
	}
	outcome := "steady"
	if changed {
		outcome = "shift"
	}
	write := func(label string, x float64) string { return s.amount("share", shares[label][x].share) }
	return finding{outcome, map[string]string{
		"up": up, "up.from": write(up, first), "up.to": write(up, last),
		"down": down, "down.from": write(down, first), "down.to": write(down, last),
		"from.x": s.amount("x", first), "to.x": s.amount("x", last),
	}}
}

// proportions gives the share of each label at each x, and those x that have 30 counted things or
// more.
func (s sample) proportions() (map[string]map[float64]proportion, []float64) {
	wholes := map[float64]float64{}
	for _, row := range s.rows {
		x, _ := number(row["x"])
		share, _ := number(row["share"])
		count, _ := number(row["count"])
		if share > 0 {
			wholes[x] = max(wholes[x], 100*count/share)
		}
	}
	shares := map[string]map[float64]proportion{}
	for _, row := range s.rows {
		x, _ := number(row["x"])
		share, _ := number(row["share"])
		label := s.name(row)
		if shares[label] == nil {
			shares[label] = map[float64]proportion{}
		}
		shares[label][x] = proportion{share, wholes[x]}
	}
	var ends []float64
	for x, whole := range wholes {
		if whole >= 30 {
			ends = append(ends, x)
		}
	}
	slices.Sort(ends)
	return shares, ends
}

// proportions is the statistic of the test of two proportions, normal when they are equal.
func proportions(a, b proportion) float64 {
	pooled := (a.share*a.whole + b.share*b.whole) / (a.whole + b.whole) / 100
	deviation := math.Sqrt(pooled * (1 - pooled) * (1/a.whole + 1/b.whole))
	if deviation == 0 || math.IsNaN(deviation) {
		return 0
	}
	return (a.share - b.share) / 100 / deviation
}

// bonferroni is the two-sided 5 percent point of the normal distribution for so many looks.
func bonferroni(looks int) float64 { return math.Sqrt2 * math.Erfinv(1-0.05/float64(max(1, looks))) }
