package insights

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRowsKeepOrderTypesAndNull(t *testing.T) {
	mart := Mart{Name: "films"}
	require.NoError(t, mart.add([]byte("{\"title\":\"A\",\"n\":1.50}\n{\"n\":12345678901234567890,\"title\":null}\n")))
	require.NoError(t, mart.add([]byte(`{"title":"C","late":true}`)))

	assert.Equal(t, []string{"title", "n", "late"}, mart.Columns)
	assert.Equal(t, []Row{
		{"A", json.Number("1.50"), nil},
		{nil, json.Number("12345678901234567890"), nil},
		{"C", nil, true},
	}, mart.Rows)
}

func TestBrokenFilesOfAMart(t *testing.T) {
	for content, words := range map[string]string{
		"{\"n\":1}\n{\"n\":":   "row 2: unexpected EOF",
		"{\"n\":1}\n[1]":       "row 2: want an object",
		"<html>":               "row 1: invalid character",
		"{\"n\":1}\n{\"n\":1 ": "row 2: unexpected EOF",
	} {
		mart := Mart{}
		assert.ErrorContains(t, mart.add([]byte(content)), words, content)
	}
}

func TestSortedPutsNullLast(t *testing.T) {
	mart := Mart{Columns: []string{"name", "n"}, Rows: []Row{
		{"b", nil}, {"c", json.Number("9")}, {"a", json.Number("10")}, {"d", json.Number("10")},
	}}
	names := func(by ...string) string {
		text := ""
		for _, row := range mart.sorted(by).Rows {
			text += row[0].(string)
		}
		return text
	}
	assert.Equal(t, "adcb", names("-n", "name"))
	assert.Equal(t, "cadb", names("n", "name"))
	assert.Equal(t, "abcd", names("name"))
	assert.Equal(t, "bcad", names(), "without a column, as they came")
}

func TestFormats(t *testing.T) {
	for _, of := range []struct {
		value        any
		format, want string
	}{
		{json.Number("1234567890.4"), "usd", "$1.23\u00a0bn"},
		{json.Number("158210859.50"), "usd", "$158\u00a0m"},
		{json.Number("999999999"), "usd", "$1.00\u00a0bn"},
		{json.Number("45300"), "usd", "$45.3\u00a0k"},
		{json.Number("12"), "usd", "$12"},
		{json.Number("-2500000"), "usd", "−$2.50\u00a0m"},
		{json.Number("1234567"), "count", "1,234,567"},
		{json.Number("48.75"), "percent", "48.8%"},
		{json.Number("-0.04"), "points", "0.0"},
		{json.Number("-17.1"), "points", "−17.1"},
		{json.Number("7.04"), "gap", "+7.0"},
		{json.Number("0.04"), "gap", "0.0"},
		{json.Number("-14.8"), "gap", "−14.8"},
		{json.Number("3.5"), "stars", "3.50"},
		{json.Number("1990"), "decade", "1990s"},
		{json.Number("1990"), "year", "1990"},
		{json.Number("9"), "month", "Sep"},
		{json.Number("13"), "month", "13"},
		{json.Number("7"), "weekday", "Sun"},
		{json.Number("7"), "hour", "07:00"},
		{"2024-02-01", "months", "Feb 2024"},
		{"2024-02-29 00:00:00", "date", "29 Feb 2024"},
		{"soon", "date", "soon"},
		{"not a number", "usd", "not a number"},
		{"12.5", "percent", "12.5%"},
		{nil, "usd", missing},
	} {
		assert.Equal(t, of.want, show(of.value, of.format), "%v as %s", of.value, of.format)
	}
	assert.Equal(t, "September", say(json.Number("9"), "month"))
	assert.Equal(t, "Sunday", say(json.Number("7"), "weekday"))
	assert.Equal(t, []string{"0.04%", "1.0%", "0.0%"}, []string{percent(4, 10_000), percent(1, 100), percent(0, 7)})
}
