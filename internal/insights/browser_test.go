package insights

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// browsers are the names of programs that the tests know how to start.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// findBrowser skips the test where no browser is, but for continuous integration, which installs one.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no browser is installed: looked for %v", browsers)
	}
	t.Skipf("the page is not tested in a browser: none of %v is installed", browsers)
	return ""
}

func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes longer than a quick test")
	}
	browser := findBrowser(t)
	pages := t.TempDir()
	write := func(name string, report Report) {
		page, err := Page{Environment: "test", Sample: true, Charts: ownCharts(t), Modules: modules}.Draw(report)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(pages, name+".html"), page, 0o600))
	}
	write("full", fullReport(t))
	write("sparse", sparseReport(t))
	write("failed", failedReport())
	for file, content := range map[string]any{
		"hostile.json": hostile, "marts.json": slices.Sorted(maps.Keys(ownCharts(t).Marts)),
	} {
		text, err := json.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(pages, file), text, 0o600))
	}

	command := exec.Command("node", "--test", "--test-reporter=spec", filepath.Join("test", "browser", "page.test.mjs"))
	command.Dir = root
	command.Env = append(os.Environ(), "PAGES="+pages, "CHROMIUM="+browser)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	require.NoError(t, command.Run(), "%s", &output)
	t.Logf("%s", &output)
}
