package visual

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// PictureFile is the file that shows the jobs' pictures, relative to the checkout.
const PictureFile = "README.md"

// Picture gives the file with the DAG's picture as it should be: between the comments
// `<!-- dag: JOB -->` and `<!-- /dag -->`. A file without them, or none at all, shows no picture.
func (d *DAG) Picture(checkout string) (File, bool, error) {
	content, err := os.ReadFile(filepath.Join(checkout, PictureFile))
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, false, nil
	}
	if err != nil {
		return File{}, false, err
	}
	begin, end := "<!-- dag: "+d.Job()+" -->\n", "<!-- /dag -->"
	before, rest, found := strings.Cut(string(content), begin)
	if !found {
		return File{}, false, nil
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return File{}, false, fmt.Errorf("%s: no %s after %s", PictureFile, end, strings.TrimSpace(begin))
	}
	return File{PictureFile, []byte(before + begin + "\n```mermaid\n" + Draw(d) + "```\n\n" + end + after)}, true, nil
}
