package batch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/usage"
)

var known = []datasets.Dataset{{Name: "films"}, {Name: "people"}}

// tree makes files, by path, in a new folder; a path that ends with / is an empty folder.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		path := filepath.Join(dir, name)
		if name[len(name)-1] == '/' {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("id\n1\n"), 0o644))
	}
	return dir
}

func TestReadFindsTheFilesOfEachDataset(t *testing.T) {
	dir := tree(t, "films/a.csv", "films/b.csv.gz", "films/.DS_Store", "films/_SUCCESS", "people/p.csv", "manifest.jsonl", ".git/")
	batches, err := Read(dir, known, known)
	require.NoError(t, err)
	assert.Equal(t, []Batch{
		{"films", []File{
			{filepath.Join(dir, "films", "a.csv"), "a.csv", 5},
			{filepath.Join(dir, "films", "b.csv.gz"), "b.csv.gz", 5},
		}},
		{"people", []File{{filepath.Join(dir, "people", "p.csv"), "p.csv", 5}}},
	}, batches)
}

func TestReadLeavesOutWhatIsNotThereOrNotSelected(t *testing.T) {
	for name, files := range map[string][]string{
		"no folder":    {"films/a.csv"},
		"empty folder": {"films/a.csv", "people/"},
	} {
		batches, err := Read(tree(t, files...), known, known)
		require.NoError(t, err, name)
		require.Len(t, batches, 1, name)
		assert.Equal(t, "films", batches[0].Dataset, name)
	}
	batches, err := Read(tree(t, "films/a.csv", "people/p.csv"), known, known[1:])
	require.NoError(t, err)
	require.Len(t, batches, 1)
	assert.Equal(t, "people", batches[0].Dataset)
}

func TestReadRefuses(t *testing.T) {
	unreadable := tree(t, "films/a.csv")
	require.NoError(t, os.Symlink(filepath.Join(unreadable, "gone"), filepath.Join(unreadable, "films", "link.csv")))
	cases := map[string]struct{ dir, want string }{
		"no such folder":    {filepath.Join(t.TempDir(), "gone"), "no such file or directory; give a folder that holds films/, people/"},
		"unknown folder":    {tree(t, "films/a.csv", "tags/t.csv"), "tags is the folder of no known dataset; known are films/, people/"},
		"nothing at all":    {tree(t), "has no files to upload; put them into"},
		"only empty":        {tree(t, "films/"), "has no files to upload"},
		"folder in a batch": {tree(t, "films/2026/a.csv"), "2026 is a folder; put the files of a batch directly into"},
		"file as a folder":  {tree(t, "films"), "films: not a directory; it must be a folder"},
		"unreadable file":   {unreadable, "link.csv cannot be read: no such file or directory"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Read(c.dir, known, known)
			require.ErrorContains(t, err, c.want)
			assert.True(t, usage.Is(err))
		})
	}
}

func TestSelectKeepsTheListsOrder(t *testing.T) {
	chosen, err := Select(known, []string{"people", "films"})
	require.NoError(t, err)
	assert.Equal(t, []string{"films", "people"}, Names(chosen))
	all, err := Select(known, nil)
	require.NoError(t, err)
	assert.Equal(t, known, all)
	_, err = Select(known, []string{"film"})
	assert.EqualError(t, err, `unknown dataset "film"; known are films, people`)
}

func TestCheckDate(t *testing.T) {
	assert.NoError(t, CheckDate("2028-02-29"))
	for _, date := range []string{"2026-02-29", "2026-1-31", "31.1.2026", "yesterday", "2026-01-31T00:00:00Z", "2026-01-31/../x"} {
		assert.ErrorContains(t, CheckDate(date), "give it as YYYY-MM-DD", date)
	}
}
