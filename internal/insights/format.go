package insights

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// missing stands for NULL.
const missing = "–"

// formats write a value that is not NULL; page/page.js has those for the ticks of axes.
var formats = map[string]func(any) string{
	"text":    func(value any) string { return fmt.Sprint(value) },
	"count":   numeric(func(n float64) string { return thousands(n, 0) }),
	"number":  numeric(func(n float64) string { return thousands(n, decimals(n)) }),
	"usd":     numeric(dollars),
	"percent": numeric(func(n float64) string { return thousands(n, 1) + "%" }),
	"points":  numeric(func(n float64) string { return thousands(n, 1) }),
	"gap":     numeric(func(n float64) string { return signed(n, thousands(n, 1)) }),
	"stars":   numeric(func(n float64) string { return thousands(n, 2) }),
	"minutes": numeric(func(n float64) string { return thousands(n, 0) + "\u00a0min" }),
	"r":       numeric(func(n float64) string { return thousands(n, 2) }),
	"year":    numeric(func(n float64) string { return strconv.Itoa(int(n)) }),
	"decade":  numeric(func(n float64) string { return strconv.Itoa(int(n)) + "s" }),
	"hour":    numeric(func(n float64) string { return fmt.Sprintf("%02d:00", int(n)) }),
	"month": numeric(func(n float64) string {
		return named(n, func(i int) string { return time.Month(i).String()[:3] }, 1, 12)
	}),
	"weekday": numeric(func(n float64) string {
		return named(n, func(i int) string { return time.Weekday(i % 7).String()[:3] }, 1, 7)
	}),
	"date":   func(value any) string { return dated(value, time.DateOnly, "2 Jan 2006") },
	"months": func(value any) string { return dated(value, time.DateOnly, "Jan 2006") },
}

// textual are the formats whose values are no amounts: they align to the left.
var textual = []string{"text", "date", "months"}

// say writes a value as it stands in a sentence: months and weekdays by their full names.
func say(value any, format string) string {
	n, isNumber := number(value)
	switch {
	case isNumber && format == "month":
		return named(n, func(i int) string { return time.Month(i).String() }, 1, 12)
	case isNumber && format == "weekday":
		return named(n, func(i int) string { return time.Weekday(i % 7).String() }, 1, 7)
	}
	return show(value, format)
}

// show writes a value in a format; an unknown one, or a value that does not fit, as it came.
func show(value any, format string) string {
	write, known := formats[format]
	switch {
	case value == nil:
		return missing
	case !known:
		return fmt.Sprint(value)
	}
	return write(value)
}

func numeric(write func(float64) string) func(any) string {
	return func(value any) string {
		n, isNumber := number(value)
		if !isNumber {
			return fmt.Sprint(value)
		}
		return strings.Replace(write(n), "-", "−", 1)
	}
}

// signed puts a plus before what is written of a number above zero.
func signed(n float64, written string) string {
	if n > 0 && strings.Trim(written, "0.,") != "" {
		return "+" + written
	}
	return written
}

func named(n float64, name func(int) string, from, to int) string {
	if i := int(n); float64(i) == n && i >= from && i <= to {
		return name(i)
	}
	return thousands(n, decimals(n))
}

func dated(value any, from, to string) string {
	text := fmt.Sprint(value)
	date, err := time.Parse(from, text[:min(len(text), len(from))])
	if err != nil {
		return text
	}
	return date.Format(to)
}

// dollars are written with three digits: $158 m. The unit stays with its number where a line ends.
func dollars(n float64) string {
	sign, size := "", math.Abs(n)
	if n < 0 {
		sign = "-"
	}
	for _, unit := range []struct {
		worth float64
		name  string
	}{{1e9, "\u00a0bn"}, {1e6, "\u00a0m"}, {1e3, "\u00a0k"}} {
		if size >= unit.worth*0.9995 {
			return sign + "$" + digits(size/unit.worth) + unit.name
		}
	}
	return sign + "$" + thousands(size, 0)
}

func digits(n float64) string {
	switch {
	case n < 9.995:
		return strconv.FormatFloat(n, 'f', 2, 64)
	case n < 99.95:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return thousands(n, 0)
}

// decimals shows whole numbers whole, and two digits of others.
func decimals(n float64) int {
	if n == math.Trunc(n) {
		return 0
	}
	return 2
}

func thousands(n float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(n), 'f', decimals, 64)
	whole, fraction, hasFraction := strings.Cut(text, ".")
	var groups []string
	for len(whole) > 3 {
		groups = append(groups, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	groups = append(groups, whole)
	slices.Reverse(groups)
	text = strings.Join(groups, ",")
	if hasFraction {
		text += "." + fraction
	}
	if n < 0 && strings.Trim(text, "0.,") != "" {
		text = "-" + text
	}
	return text
}
