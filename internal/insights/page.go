package insights

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"moviepipeline/internal/execution"
)

//go:embed page/page.html.tmpl
var pageTemplate string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

// libraries draw the charts; they are read where `npm ci` puts them and written into the page.
var libraries = []string{"d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js"}

// Page is what a page is drawn with.
type Page struct {
	// Environment is the name of the deployed environment.
	Environment string
	// Sample tells that the data are the sample that comes with the project.
	Sample bool
	Charts Charts
	// Modules is the folder node_modules with the libraries of charts.
	Modules string
}

// view is what the template shows.
type view struct {
	Page
	Policy  string
	Style   template.CSS
	Scripts []template.JS
	Data    map[string]chartData
	// Latest is the newest run, Charted that whose marts are drawn.
	Latest, Charted execution.Summary
	// Unloaded tells that there are marts, Stale that they are not of the latest run.
	Unloaded, Stale bool
	runView
	Runs     []runView
	Datasets []datasetView
	Counted  bool
	// Judged tells that results of rules were kept, Trends are the charts of how they fared over batches.
	Judged   bool
	Trends   []chartView
	Sections []sectionView
	// Headlines are the charts whose sentences stand at the top.
	Headlines []chartView
}

// Draw writes the page.
func (p Page) Draw(report Report) ([]byte, error) {
	scripts, err := p.scripts()
	if err != nil {
		return nil, err
	}
	shown := view{
		Page: p, Style: template.CSS(pageStyle), Scripts: scripts, Policy: policy(scripts),
		Latest: report.Runs[0], Charted: report.Drawn(), Data: map[string]chartData{},
	}
	shown.Unloaded = report.Unloaded != nil
	shown.Stale = shown.Charted.Execution != shown.Latest.Execution
	for _, run := range report.Runs {
		shown.Runs = append(shown.Runs, viewOf(run))
	}
	shown.runView = shown.Runs[0]
	for _, name := range slices.Sorted(maps.Keys(shown.Latest.Datasets)) {
		dataset := datasetOf(name, shown.Latest.Datasets[name])
		shown.Datasets = append(shown.Datasets, dataset)
		shown.Counted = shown.Counted || dataset.Counted
	}
	shown.addQuality(report)
	shown.addCharts(report.Marts)
	var page bytes.Buffer
	err = parsed.Execute(&page, shown)
	return page.Bytes(), err
}

var parsed = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": func(rows *int64) string {
		if rows == nil {
			return missing
		}
		return thousands(float64(*rows), 0)
	},
	"share": share,
	"one":   func(rows *int64) bool { return rows != nil && *rows == 1 },
	"lower": strings.ToLower,
	"day": func(date string) string {
		if date == "" {
			return "no date"
		}
		return show(date, "date")
	},
	"moment": func(at *time.Time) string { return at.UTC().Format("2 Jan 2006, 15:04 UTC") },
}).Parse(pageTemplate))

// share writes part of whole in percent, small ones not as nothing.
func share(part, whole *int64) string {
	if part == nil || whole == nil || *whole == 0 {
		return missing
	}
	return percent(float64(*part), float64(*whole))
}

// scripts are the libraries and the page's own, in the order of loading.
func (p Page) scripts() ([]template.JS, error) {
	var scripts []template.JS
	for _, library := range libraries {
		content, err := os.ReadFile(filepath.Join(p.Modules, filepath.FromSlash(library)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("the library of charts is not installed: %w; run `make setup`", err)
		}
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, template.JS(content))
	}
	scripts = append(scripts, template.JS(pageScript))
	for i, script := range scripts {
		if endOfScript.MatchString(string(script)) {
			return nil, fmt.Errorf("script %d of the page would end its own element", i+1)
		}
	}
	return scripts, nil
}

// endOfScript is what a script element cannot hold.
// https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
var endOfScript = regexp.MustCompile(`(?i)</script|<!--`)

// policy lets the page's own scripts run, known by their hash, and nothing be asked of a network.
// Styles are open to what the library adds: without images, fonts and imports they load nothing.
func policy(scripts []template.JS) string {
	hashes := make([]string, 0, len(scripts))
	for _, script := range scripts {
		hash := sha256.Sum256([]byte(script))
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(hashes, " ") + "; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
}

// runView is a run in the list of runs.
type runView struct {
	execution.Summary
	Totals totals
	// Took is how long it ran; empty when the summary does not tell.
	Took string
}

// totals are the rows of all datasets of a run; nil when no dataset has the number.
type totals struct{ Read, Quarantined, Loaded *int64 }

func viewOf(run execution.Summary) runView {
	seen := runView{Summary: run}
	for _, dataset := range run.Datasets {
		add(&seen.Totals.Read, dataset.Read)
		add(&seen.Totals.Quarantined, dataset.Quarantined)
		add(&seen.Totals.Loaded, dataset.Loaded)
	}
	if run.Began != nil && run.Ended != nil {
		seen.Took = duration(run.Ended.Sub(*run.Began))
	}
	return seen
}

// duration writes a time as people say it: 42 s, 4 min 09 s, 1 h 02 min.
func duration(took time.Duration) string {
	seconds := int(took.Round(time.Second).Seconds())
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %02d s", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d h %02d min", seconds/3600, seconds%3600/60)
}

func add(total **int64, part *int64) {
	if part == nil {
		return
	}
	if *total == nil {
		*total = new(int64)
	}
	**total += *part
}

// datasetView is a dataset of the latest run.
type datasetView struct {
	execution.Dataset
	Name string
	// Counted tells that all counts are known, Adds that they add up.
	Counted, Adds bool
	// Marks are how many of a thousand marks are processed, quarantined and duplicates.
	Marks []int64
	Rules []ruleView
	// Whole tells that a rule about the batch failed.
	Whole bool
	// Rulesets are how the rules fared; none when the results were not kept.
	Rulesets []rulesetView
}

// mostRules is how many rules are shown at once; it is not worth a page to hide but one more.
const mostRules = 8

// Most are the rules that most rows broke, Others the rest.
func (d datasetView) Most() []ruleView {
	if len(d.Rules) <= mostRules+1 {
		return d.Rules
	}
	return d.Rules[:mostRules]
}

// Others are the rules that Most leaves out.
func (d datasetView) Others() []ruleView { return d.Rules[len(d.Most()):] }

// ruleView is a broken rule; Percent is its length in the picture, Reason why a rule about the batch failed.
type ruleView struct {
	execution.FailedRule
	Percent float64
	Reason  string
}

func datasetOf(name string, dataset execution.Dataset) datasetView {
	seen := datasetView{Dataset: dataset, Name: name}
	if dataset.Read != nil && dataset.Processed != nil && dataset.Quarantined != nil && dataset.Duplicates != nil {
		sum := *dataset.Processed + *dataset.Quarantined + *dataset.Duplicates
		seen.Counted, seen.Adds = *dataset.Read > 0, sum == *dataset.Read
		seen.Marks = marks(*dataset.Processed, *dataset.Quarantined, *dataset.Duplicates)
	}
	most := int64(1)
	for _, rule := range dataset.FailedRules {
		if rule.Rows == nil {
			seen.Whole = true
			continue
		}
		most = max(most, *rule.Rows)
	}
	for _, rule := range dataset.FailedRules {
		rows := most
		if rule.Rows != nil {
			rows = *rule.Rows
		}
		seen.Rules = append(seen.Rules, ruleView{FailedRule: rule, Percent: 100 * float64(rows) / float64(most)})
	}
	slices.SortStableFunc(seen.Rules, func(a, b ruleView) int { return cmp.Compare(b.Percent, a.Percent) })
	return seen
}

// allMarks is how many marks stand for a dataset.
const allMarks = 1000

// marks shares the marks out: each part that is not empty has at least one, the first the rest.
func marks(processed, quarantined, duplicates int64) []int64 {
	whole := processed + quarantined + duplicates
	shared := []int64{0, 0, 0}
	if whole == 0 {
		return shared
	}
	for i, part := range []int64{quarantined, duplicates} {
		if part > 0 {
			shared[i+1] = max(1, (part*allMarks+whole/2)/whole)
		}
	}
	shared[0] = allMarks - shared[1] - shared[2]
	return shared
}
