package insights

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Most rows of a mart that are drawn, and that stand in its data table.
const (
	drawnRows = 2000
	tableRows = 200
)

// moreID is the section of marts without a chart.
const moreID = "more"

// sectionView is a section with its charts.
type sectionView struct {
	Section
	// Caution is said of the sample.
	Caution string
	Charts  []chartView
}

// chartView is a mart on the page: its chart, if it has one, and its data.
type chartView struct {
	Mart, Title, Finding, About, Size string
	Drawn, Wide, Cut                  bool
	// Headline tells that the sentence is worth the top of the page.
	Headline bool
	Headings []headingView
	Table    [][]cellView
}

type headingView struct {
	Title   string
	Numeric bool
}

type cellView struct {
	Text    string
	Numeric bool
}

// chartData is what page.js draws: the rows with their values and, for tips, as people read them.
type chartData struct {
	Title   string     `json:"title"`
	Finding string     `json:"finding"`
	Draw    Drawing    `json:"draw"`
	Join    string     `json:"join,omitempty"`
	Columns []Column   `json:"columns"`
	Rows    []Row      `json:"rows"`
	Texts   [][]string `json:"texts"`
}

// addCharts fills the sections with the marts: those with a chart in its section, others at the end.
func (v *view) addCharts(marts []Mart) {
	charted := map[string][]Chart{}
	more := sectionView{Section: Section{ID: moreID, Title: "More marts", Intro: "Marts without a chart of their own."}}
	byName := map[string]Mart{}
	for _, mart := range marts {
		byName[mart.Name] = mart
		if chart, has := v.Page.Charts.Marts[mart.Name]; has {
			charted[chart.Section] = append(charted[chart.Section], chart)
			continue
		}
		more.Charts = append(more.Charts, plain(mart))
	}
	for _, section := range v.Page.Charts.Sections {
		seen := sectionView{Section: section}
		if v.Sample {
			seen.Caution = section.Sample
		}
		slices.SortFunc(charted[section.ID], func(a, b Chart) int {
			return cmp.Or(cmp.Compare(a.Place, b.Place), strings.Compare(a.Mart, b.Mart))
		})
		for _, chart := range charted[section.ID] {
			shown := v.addChart(chart, byName[chart.Mart])
			seen.Charts = append(seen.Charts, shown)
			// What must not be read without its caution stands beside it alone.
			if shown.Headline && seen.Caution == "" {
				v.Headlines = append(v.Headlines, shown)
			}
		}
		if len(seen.Charts) > 0 {
			v.Sections = append(v.Sections, seen)
		}
	}
	if len(more.Charts) > 0 {
		v.Sections = append(v.Sections, more)
	}
}

func (v *view) addChart(chart Chart, mart Mart) chartView {
	if len(mart.Rows) == 0 {
		return chartView{Mart: mart.Name, Title: chart.Title, About: chart.About, Finding: "The mart is empty.", Size: sizeOf(mart)}
	}
	if lacking := chart.lacks(mart); len(lacking) > 0 {
		seen := plain(mart)
		seen.Finding = fmt.Sprintf("The chart of this mart wants columns that it has not: %s.", strings.Join(lacking, ", "))
		return seen
	}
	mart = mart.sorted(chart.Sort)
	seen := tableOf(mart, chart.Columns)
	finding, isFinding := chart.sentence(mart)
	seen.Title, seen.About, seen.Finding = chart.Title, chart.About, finding
	seen.Drawn, seen.Wide, seen.Headline = true, chart.Draw.Wide, chart.Headline && isFinding
	v.Data[mart.Name] = dataOf(chart, mart, seen.Finding)
	return seen
}

// plain is a mart without a chart.
func plain(mart Mart) chartView {
	var columns []Column
	for i, name := range mart.Columns {
		format := "text"
		if slices.ContainsFunc(mart.Rows, func(row Row) bool { _, isNumber := row[i].(json.Number); return isNumber }) {
			format = "number"
		}
		columns = append(columns, Column{name, heading(name), format})
	}
	seen := tableOf(mart.sorted(mart.Columns), columns)
	seen.Title = heading(mart.Name)
	if len(mart.Rows) == 0 {
		seen.Finding = "The mart is empty."
	}
	return seen
}

// heading makes a column's or a mart's name readable.
func heading(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(words[:min(1, len(words))]) + words[min(1, len(words)):]
}

func tableOf(mart Mart, columns []Column) chartView {
	seen := chartView{Mart: mart.Name, Size: sizeOf(mart), Cut: len(mart.Rows) > tableRows}
	for _, column := range columns {
		seen.Headings = append(seen.Headings, headingView{column.Title, column.numeric()})
	}
	for _, row := range mart.Rows[:min(len(mart.Rows), tableRows)] {
		cells := make([]cellView, len(columns))
		for i, column := range columns {
			cells[i] = cellView{show(row[mart.column(column.Name)], column.Format), column.numeric()}
		}
		seen.Table = append(seen.Table, cells)
	}
	return seen
}

func sizeOf(mart Mart) string {
	rows := len(mart.Rows)
	text := thousands(float64(rows), 0) + " rows"
	switch {
	case rows == 1:
		return "1 row"
	case rows > tableRows:
		return fmt.Sprintf("the first %d of %s", tableRows, text)
	}
	return text
}

func dataOf(chart Chart, mart Mart, finding string) chartData {
	data := chartData{Title: chart.Title, Finding: finding, Draw: chart.Draw, Join: chart.Join, Columns: chart.Columns}
	for _, row := range mart.Rows[:min(len(mart.Rows), drawnRows)] {
		values, texts := make(Row, len(chart.Columns)), make([]string, len(chart.Columns))
		for i, column := range chart.Columns {
			value := row[mart.column(column.Name)]
			if _, isNumber := number(value); isNumber && column.numeric() {
				value = json.Number(fmt.Sprint(value))
			}
			values[i], texts[i] = value, show(value, column.Format)
		}
		data.Rows, data.Texts = append(data.Rows, values), append(data.Texts, texts)
	}
	return data
}

func (c Column) numeric() bool { return !slices.Contains(textual, c.Format) }
