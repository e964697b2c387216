package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"moviepipeline/internal/insights"
	"moviepipeline/internal/project"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// insightsFile is where the page goes by default, under the state folder of the checkout.
const insightsFile = "insights.html"

func (a *app) insightsCommand() *cobra.Command {
	var out, from string
	command := &cobra.Command{
		Use:   "insights",
		Short: "Draw a page of what the last run did and what the data say",
		Long: `Draw one HTML page from what the latest run left in S3: its summary, data quality, where every row
went, and a chart with one sentence for each mart. The page is complete in itself: it opens without
a network and can be sent to anyone. The charts' library is written into it from node_modules.

With --from the reports are read from a folder instead: a copy of reports/ in the artifacts bucket,
for instance made with ` + "`aws s3 sync`" + `.

Exit codes: 0 success, 1 the page could not be drawn, 2 wrong usage or no run has left a report.`,
		Example: `  pipeline insights
  pipeline insights --out trends.html
  pipeline insights --aws --environment prod --out prod.html
  pipeline insights --from copies/reports`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.insights(command.Context(), from, out) },
	}
	command.Flags().StringVar(&out, "out", "", "`file` to write (default: "+filepath.Join(".local", insightsFile)+" of this checkout)")
	command.Flags().StringVar(&from, "from", "", "`folder` with a copy of the reports, instead of the local cloud or AWS")
	return command
}

func (a *app) insights(ctx context.Context, from, out string) error {
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	objects, sample, err := a.reports(ctx, from)
	if err != nil {
		return err
	}
	file, err := a.drawPage(ctx, checkout, objects, sample, out)
	if errors.Is(err, insights.ErrNoRun) {
		return usage.Errorf("%w; run `pipeline run%s` first", err, a.suffix())
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, fileURL(file))
	return nil
}

// reports is where the page's data lie, and whether the sample can be among them.
func (a *app) reports(ctx context.Context, from string) (insights.Objects, bool, error) {
	if from != "" {
		if a.onAWS {
			return nil, false, usage.Errorf("give --from or --aws, not both")
		}
		info, err := os.Stat(from)
		if err != nil {
			return nil, false, usage.Errorf("--from: %w", err)
		}
		if !info.IsDir() {
			return nil, false, usage.Errorf("--from: %s is no folder", from)
		}
		return insights.Folder{FS: os.DirFS(from)}, false, nil
	}
	place, err := a.open(ctx)
	if err != nil {
		return nil, false, err
	}
	outputs, err := place.Outputs(ctx, "lake")
	if err != nil {
		return nil, false, err
	}
	objects, err := reportsOf(place, outputs)
	return objects, place.Local, err
}

func reportsOf(place target.Target, outputs target.Outputs) (insights.Objects, error) {
	bucket, err := outputs.Get("ArtifactsBucket")
	return insights.Bucket{Client: place.S3(), Name: bucket}, err
}

// tellOfPage draws the page of a local run and says where it lies. A run is no worse for a page that
// could not be drawn.
func (a *app) tellOfPage(ctx context.Context, run watched) {
	out := a.out
	if run.output == "json" {
		out = a.err
	}
	if !run.place.Local {
		fmt.Fprintf(out, "\nDraw the page of insights: pipeline insights%s\n", a.suffix())
		return
	}
	file, err := a.pageOf(ctx, run)
	if err != nil {
		fmt.Fprintf(a.err, "\nThe page of insights was not drawn: %v\n", err)
		return
	}
	fmt.Fprintf(out, "\nOpen the page of insights: %s\n", fileURL(file))
}

func (a *app) pageOf(ctx context.Context, run watched) (string, error) {
	checkout, err := project.Find(".")
	if err != nil {
		return "", err
	}
	objects, err := reportsOf(run.place, run.outputs)
	if err != nil {
		return "", err
	}
	return a.drawPage(ctx, checkout, objects, true, "")
}

// drawPage writes the page whole or not at all, and gives the file's full path.
func (a *app) drawPage(ctx context.Context, checkout project.Project, objects insights.Objects, local bool, out string) (string, error) {
	report, err := insights.Read(ctx, objects)
	if err != nil {
		return "", err
	}
	charts, err := insights.OwnCharts()
	if err != nil {
		return "", err
	}
	page, err := insights.Page{
		Environment: a.options.Environment, Charts: charts, Modules: filepath.Join(checkout.Root, "node_modules"),
		Sample: local && report.Drawn().IngestDate == sampleDate,
	}.Draw(report)
	if err != nil {
		return "", err
	}
	if out == "" {
		out = filepath.Join(checkout.StateDir(), insightsFile)
	}
	file, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	return file, replaceFile(file, page)
}

// replaceFile writes beside the file and moves it there, so that nobody opens half a page.
func replaceFile(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	partial := file + ".partial"
	if err := os.WriteFile(partial, content, 0o644); err != nil {
		return err
	}
	return os.Rename(partial, file)
}

func fileURL(file string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
}
