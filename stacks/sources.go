package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/visual"
	"moviepipeline/internal/warehouse"
)

// Sources are the files of the project that the stacks deploy, read and checked before synthesis.
type Sources struct {
	Datasets []datasets.Dataset
	// Rulesets maps the name of a ruleset without the environment's prefix, "<dataset>-gate" or
	// "<dataset>-rows", to its DQDL text.
	Rulesets map[string]string
	// Plan is the content of workflow/datasets.json: the datasets and the order they run in.
	Plan map[string]any
	// Warehouse is the content of workflow/warehouse.json: the SQL of a run.
	Warehouse warehouse.Statements
	// DAGs are the visual jobs by the name of their dataset, and Nodes what is registered of them, with
	// a marker in the place of each value that is known at deployment only.
	DAGs  map[string]*visual.DAG
	Nodes map[string][]byte
	// ScriptsFolder, VisualJobFolder and WorkflowFile are paths.
	ScriptsFolder   string
	VisualJobFolder string
	WorkflowFile    string
	// WorkflowSeconds is the timeout that the state machine sets itself.
	WorkflowSeconds int
}

// projectFile is the path of a file or folder of the project, wherever in the project the process
// was started.
func projectFile(name string) (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "cdk.json")); err == nil {
			return filepath.Join(folder, name), nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("no folder with a cdk.json at or above the working directory")
		}
	}
}

func readSources() (Sources, error) {
	root, err := projectFile("")
	if err != nil {
		return Sources{}, err
	}
	list, err := datasets.Load(filepath.Join(root, "datasets.json"))
	if err != nil {
		return Sources{}, err
	}
	sources := Sources{
		Datasets:        list,
		Plan:            map[string]any{"datasets": list, "waves": datasets.Waves(list)},
		ScriptsFolder:   filepath.Join(root, visual.Folder),
		VisualJobFolder: filepath.Join(root, "stacks", "visual_job"),
		WorkflowFile:    filepath.Join(root, "stacks", "workflow.asl.json"),
	}
	if sources.Warehouse, err = warehouse.Plan(filepath.Join(root, "sql"), list); err != nil {
		return Sources{}, err
	}
	if sources.Rulesets, err = readRulesets(filepath.Join(root, "dqdl-rules"), list); err != nil {
		return Sources{}, err
	}
	if err := sources.readJobs(root); err != nil {
		return Sources{}, err
	}
	if sources.WorkflowSeconds, err = workflowTimeout(sources.WorkflowFile); err != nil {
		return Sources{}, err
	}
	return sources, nil
}

// readRulesets reads each dataset's two rulesets and refuses a DQDL file that belongs to none.
func readRulesets(folder string, list []datasets.Dataset) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.dqdl"))
	if err != nil {
		return nil, err
	}
	unclaimed := map[string]bool{}
	for _, file := range files {
		unclaimed[file] = true
	}
	rulesets := map[string]string{}
	for _, dataset := range list {
		for _, kind := range []string{"gate", "rows"} {
			file := filepath.Join(folder, dataset.Name+"_"+kind+".dqdl")
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("rules of dataset %s: %w", dataset.Name, err)
			}
			rulesets[dataset.Name+"-"+kind] = string(text)
			delete(unclaimed, file)
		}
	}
	for file := range unclaimed {
		return nil, fmt.Errorf("%s belongs to no dataset of datasets.json", file)
	}
	return rulesets, nil
}

// readJobs reads the DAG of each dataset's job and refuses one whose script is not the one generated from it.
func (s *Sources) readJobs(root string) error {
	s.DAGs, s.Nodes = map[string]*visual.DAG{}, map[string][]byte{}
	for _, name := range s.names() {
		dag, err := visual.LoadJob(root, name)
		if err == nil {
			err = dag.Fresh(root)
		}
		if err == nil {
			s.Nodes[name], err = markedNodes(dag)
		}
		if err != nil {
			return fmt.Errorf("job of dataset %s: %w", name, err)
		}
		s.DAGs[name] = dag
	}
	return nil
}

// markedNodes are a DAG's nodes with markers for the values of placeholders, which
// stacks/visual_job puts in.
func markedNodes(dag *visual.DAG) ([]byte, error) {
	markers := map[string]string{}
	for _, name := range dag.Placeholders() {
		markers[name] = "<<value:" + name + ">>"
	}
	nodes, err := dag.Resolve(markers)
	if err != nil {
		return nil, err
	}
	return visual.Marshal(nodes)
}

// workflowTimeout reads TimeoutSeconds of the state machine, which CloudFormation takes from the
// definition alone.
func workflowTimeout(file string) (int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("workflow: %w", err)
	}
	var definition struct {
		TimeoutSeconds int `json:"TimeoutSeconds"`
	}
	if err := json.Unmarshal(content, &definition); err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	if definition.TimeoutSeconds <= 0 {
		return 0, fmt.Errorf("%s: the state machine has no TimeoutSeconds", file)
	}
	return definition.TimeoutSeconds, nil
}

// fit refuses settings under which the state machine would time out before its parts do, and jobs that
// are not there.
func (s Sources) fit(environment Environment) error {
	waves := len(datasets.Waves(s.Datasets))
	oneWave := environment.Gate.TimeoutMinutes + environment.Job.Attempts*environment.Job.TimeoutMinutes
	if longest := 60 * waves * oneWave; longest > s.WorkflowSeconds {
		return fmt.Errorf("environment %s: %d waves of datasets may take %d s by gate.timeoutMinutes, job.timeoutMinutes and job.attempts, but the workflow's TimeoutSeconds is %d",
			environment.Name, waves, longest, s.WorkflowSeconds)
	}
	if err := s.checkValues(environment); err != nil {
		return err
	}
	for _, name := range environment.DiscardCanvasEdits {
		if !slices.Contains(s.names(), name) {
			return fmt.Errorf("%s: there is no job %q; the jobs are %s", discardContext, name, strings.Join(s.names(), ", "))
		}
	}
	return nil
}

// checkValues refuses DAGs with placeholders of which one's value contains another's. What is known at
// deployment only stands for itself here; stacks/visual_job checks it then.
func (s Sources) checkValues(environment Environment) error {
	known := map[string]string{
		"BatchDatabase":     environment.Database("batch"),
		"ProcessedDatabase": environment.Database("processed"),
		"ArtifactsBucket":   "<artifacts bucket>",
		"ProcessedBucket":   "<processed bucket>",
		"TempDir":           "s3://<artifacts bucket>/temp/",
		visual.Connection:   connectionName(environment),
	}
	for _, name := range s.names() {
		if s.loadsWarehouse(name) && !environment.Warehouse.GlueConnection {
			return fmt.Errorf("environment %s: %s: ${%s} needs the setting warehouse.glueConnection", environment.Name, visual.JobFile(name), visual.Connection)
		}
		used := map[string]string{}
		for _, placeholder := range s.DAGs[name].Placeholders() {
			used[placeholder] = known[placeholder]
		}
		if err := visual.CheckValues(used); err != nil {
			return fmt.Errorf("environment %s: %s: %w", environment.Name, visual.JobFile(name), err)
		}
	}
	return nil
}

// loadsWarehouse tells whether the job of a dataset uses the Glue connection to the warehouse.
func (s Sources) loadsWarehouse(dataset string) bool {
	return slices.Contains(s.DAGs[dataset].Placeholders(), visual.Connection)
}

// refersTo are the tables with the rows that rows of the dataset point to.
func (s Sources) refersTo(dataset datasets.Dataset) []string {
	var tables []string
	for _, other := range s.Datasets {
		if slices.Contains(dataset.RefersTo, other.Name) {
			tables = append(tables, other.Tables[0])
		}
	}
	return tables
}

// referred are the tables that any dataset refers to.
func (s Sources) referred() []string {
	var tables []string
	for _, dataset := range s.Datasets {
		tables = append(tables, s.refersTo(dataset)...)
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

// names are those of the datasets, which the crawler gives to the tables of the raw zone too.
func (s Sources) names() []string {
	var names []string
	for _, dataset := range s.Datasets {
		names = append(names, dataset.Name)
	}
	return names
}

// batchTables are the tables that the workflow makes for the batches of a run.
func (s Sources) batchTables() []string {
	var tables []string
	for _, dataset := range s.Datasets {
		tables = append(tables, batchTable(dataset))
	}
	return tables
}

func batchTable(dataset datasets.Dataset) string { return "batch_" + dataset.Name }

// quarantineTables are the catalog's tables of the rows that were set aside.
func (s Sources) quarantineTables() []string {
	var tables []string
	for _, dataset := range s.Datasets {
		tables = append(tables, quarantineTable(dataset))
	}
	return tables
}

func quarantineTable(dataset datasets.Dataset) string { return "quarantine_" + dataset.Name }
