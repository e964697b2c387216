package visual

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Connection is the deploy-time name of the Glue connection to the warehouse, which is there by the
// setting warehouse.glueConnection alone.
const Connection = "WarehouseConnection"

// Names are the deploy-time names that a job's DAG may hold as placeholders: each is an argument of
// every job, and has a value where the DAG is registered.
var Names = []string{"ArtifactsBucket", "BatchDatabase", "ProcessedBucket", "ProcessedDatabase", "TempDir", Connection}

// File is a file that is generated.
type File struct {
	// Path is relative to the checkout.
	Path    string
	Content []byte
}

// JobFile is the path of a job's DAG, relative to the checkout.
func JobFile(job string) string { return Folder + "/" + job + Suffix }

// LoadJob reads and checks the DAG of a job.
func LoadJob(checkout, job string) (*DAG, error) {
	dag, err := Load(checkout, JobFile(job))
	if err != nil {
		return nil, err
	}
	return dag, dag.CheckNames(Names)
}

// Files are those that are generated from the DAG: its own, in its layout, and the script.
func (d *DAG) Files() ([]File, error) {
	layout, err := d.Marshal()
	if err != nil {
		return nil, err
	}
	script, err := Script(d)
	if err != nil {
		return nil, err
	}
	return []File{{d.File, layout}, {ScriptFile(d.File), script}}, nil
}

// Fresh gives an error if a file that is generated from the DAG is not as it would be written.
func (d *DAG) Fresh(checkout string) error {
	files, err := d.Files()
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := d.fresh(checkout, file); err != nil {
			return err
		}
	}
	return nil
}

// FreshPicture gives an error if the DAG is shown otherwise than it is.
func (d *DAG) FreshPicture(checkout string) error {
	file, shown, err := d.Picture(checkout)
	if err != nil || !shown {
		return err
	}
	return d.fresh(checkout, file)
}

func (d *DAG) fresh(checkout string, file File) error {
	content, err := os.ReadFile(filepath.Join(checkout, file.Path))
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("%s is missing: run `pipeline visual generate %s`", file.Path, d.Job())
	case err != nil:
		return err
	case !bytes.Equal(content, file.Content):
		return fmt.Errorf("%s is stale: run `pipeline visual generate %s`", file.Path, d.Job())
	default:
		return nil
	}
}
