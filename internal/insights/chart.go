package insights

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Chart says how a mart is drawn. docs/insights.md explains each member.
type Chart struct {
	// Mart is the name of the file.
	Mart string `json:"-"`
	// Title says what is shown; About how to read it, with units.
	Title   string `json:"title"`
	About   string `json:"about"`
	Section string `json:"section"`
	// Place orders the charts of a section.
	Place int `json:"place"`
	// Headline puts the sentence at the top of the page.
	Headline bool `json:"headline,omitempty"`
	// Join stands between the two columns of a label; without it the second stands in brackets.
	Join string `json:"join,omitempty"`
	// Sort orders the rows: columns, with a minus for the greatest first.
	Sort []string `json:"sort"`
	// Columns are those of the data table, in order. What the chart draws is among them.
	Columns  []Column `json:"columns"`
	Draw     Drawing  `json:"draw"`
	Sentence Sentence `json:"sentence"`
}

// Column is a column of a mart with its heading and its format, which names the unit.
type Column struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Format string `json:"format"`
}

// Drawing is the kind of a chart and the columns that it draws. Which of them a kind needs and
// takes stands in kinds.
type Drawing struct {
	Kind string `json:"kind"`
	// Label names a row.
	Label []string `json:"label,omitempty"`
	X     string   `json:"x,omitempty"`
	Y     string   `json:"y,omitempty"`
	// Value is drawn with its Margin, plus and minus, and Also beside it.
	Value  string `json:"value,omitempty"`
	Margin string `json:"margin,omitempty"`
	Also   string `json:"also,omitempty"`
	// Lines are drawn over X; From and To bound a band.
	Lines []string `json:"lines,omitempty"`
	From  string   `json:"from,omitempty"`
	To    string   `json:"to,omitempty"`
	// Limit is how many rows are drawn, of a grid those of Y; the data table has all.
	Limit int `json:"limit,omitempty"`
	// Named is how many points of a scatter carry their name, first rows first.
	Named int `json:"named,omitempty"`
	// Zero begins the axis of a line chart at zero.
	Zero bool `json:"zero,omitempty"`
	// Wide gives the chart the whole width of the page.
	Wide bool `json:"wide,omitempty"`
}

// kinds are the kinds of charts with the columns that each must and may name.
var kinds = map[string]struct{ must, may []string }{
	"bars":    {[]string{"label", "value"}, []string{"margin", "also"}},
	"columns": {[]string{"x", "value"}, []string{"also"}},
	"line":    {[]string{"x", "lines"}, []string{"margin", "from", "to"}},
	"scatter": {[]string{"label", "x", "y"}, nil},
	"heat":    {[]string{"x", "y", "value"}, nil},
	"split":   {[]string{"label", "from", "to"}, nil},
	"pairs":   {[]string{"label", "from", "to"}, nil},
}

// columns are the columns that the drawing names, by what they are for.
func (d Drawing) columns() map[string][]string {
	named := map[string][]string{"label": d.Label, "lines": d.Lines}
	for use, column := range map[string]string{
		"x": d.X, "y": d.Y, "value": d.Value, "margin": d.Margin, "also": d.Also, "from": d.From, "to": d.To,
	} {
		if column != "" {
			named[use] = []string{column}
		}
	}
	maps.DeleteFunc(named, func(_ string, columns []string) bool { return len(columns) == 0 })
	return named
}

// Section is a part of the page.
type Section struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Intro string `json:"intro"`
	// Sample is said where the data are the sample that comes with the project.
	Sample string `json:"sample,omitempty"`
}

// Charts are the sections of the page and the charts in them.
type Charts struct {
	Sections []Section
	// Marts has the charts by the name of their mart.
	Marts map[string]Chart
	// Quality draws how the rules of a dataset fared over its batches.
	Quality Chart
}

//go:embed charts
var embedded embed.FS

// OwnCharts are those of the project's marts.
func OwnCharts() (Charts, error) {
	folder, err := fs.Sub(embedded, "charts")
	if err != nil {
		return Charts{}, err
	}
	return LoadCharts(folder)
}

// sectionsFile lists the sections, qualityFile draws the scores of rules; all other files are charts of
// marts.
const (
	sectionsFile = "sections.json"
	qualityFile  = "quality.json"
)

// LoadCharts reads a folder of charts. It is an error, which names the file, when a chart has an
// unknown member, kind, format, section, rule or placeholder, or draws a column that it does not list.
func LoadCharts(folder fs.FS) (Charts, error) {
	charts := Charts{Marts: map[string]Chart{}}
	if err := decode(folder, sectionsFile, &charts.Sections); err != nil {
		return Charts{}, err
	}
	files, err := fs.Glob(folder, "*.json")
	if err != nil {
		return Charts{}, err
	}
	for _, file := range files {
		if file == sectionsFile || file == qualityFile {
			continue
		}
		chart, err := readChart(folder, file, charts.Sections)
		if err != nil {
			return Charts{}, err
		}
		charts.Marts[chart.Mart] = chart
	}
	charts.Quality, err = readChart(folder, qualityFile, []Section{{ID: qualityID}})
	return charts, err
}

func readChart(folder fs.FS, file string, sections []Section) (Chart, error) {
	chart := Chart{Mart: strings.TrimSuffix(path.Base(file), ".json")}
	err := decode(folder, file, &chart)
	if err == nil {
		err = chart.check(sections)
	}
	if err != nil {
		return Chart{}, fmt.Errorf("%s: %w", file, err)
	}
	return chart, nil
}

func decode(folder fs.FS, file string, into any) error {
	content, err := fs.ReadFile(folder, file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func (c Chart) check(sections []Section) error {
	if c.Title == "" || c.About == "" || len(c.Sort) == 0 {
		return errors.New("title, about and sort must not be empty")
	}
	if !slices.ContainsFunc(sections, func(section Section) bool { return section.ID == c.Section }) {
		return fmt.Errorf("section %q does not stand in %s", c.Section, sectionsFile)
	}
	for _, column := range c.Columns {
		if _, known := formats[column.Format]; !known || column.Title == "" {
			return fmt.Errorf("column %q: want a title and one of the formats %s, not %q",
				column.Name, strings.Join(slices.Sorted(maps.Keys(formats)), ", "), column.Format)
		}
	}
	return cmp.Or(c.checkDrawing(), c.checkColumns(), c.Sentence.check())
}

func (c Chart) checkDrawing() error {
	kind, known := kinds[c.Draw.Kind]
	if !known {
		return fmt.Errorf("draw: kind %q is none of %s", c.Draw.Kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	named := c.Draw.columns()
	for _, use := range kind.must {
		if len(named[use]) == 0 {
			return fmt.Errorf("draw: %s needs %s", c.Draw.Kind, use)
		}
	}
	for use := range named {
		if !slices.Contains(kind.must, use) && !slices.Contains(kind.may, use) {
			return fmt.Errorf("draw: %s takes no %s", c.Draw.Kind, use)
		}
	}
	return nil
}

// checkColumns wants every column that the chart names in its list.
func (c Chart) checkColumns() error {
	var wanted []string
	for _, columns := range c.Draw.columns() {
		wanted = append(wanted, columns...)
	}
	for _, column := range c.Sort {
		wanted = append(wanted, strings.TrimPrefix(column, "-"))
	}
	for _, columns := range c.Sentence.Of {
		wanted = append(wanted, columns)
	}
	wanted = slices.AppendSeq(wanted, maps.Keys(c.Sentence.Without))
	slices.Sort(wanted)
	for _, name := range wanted {
		if c.column(name) == nil {
			return fmt.Errorf("column %q is used and not listed under columns", name)
		}
	}
	return nil
}

func (c Chart) column(name string) *Column {
	for i := range c.Columns {
		if c.Columns[i].Name == name {
			return &c.Columns[i]
		}
	}
	return nil
}

// lacks gives the columns that the chart wants and the mart has not.
func (c Chart) lacks(mart Mart) []string {
	var lacking []string
	for _, column := range c.Columns {
		if mart.column(column.Name) < 0 {
			lacking = append(lacking, column.Name)
		}
	}
	return lacking
}
