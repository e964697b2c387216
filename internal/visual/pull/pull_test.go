package pull

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/visual"
)

const checkout = "../../.."

// A DAG that has each form of text of the project's own, and lists of each kind.
const written = `{
  "node-1": {
    "S3CsvSource": {
      "Name": "Films",
      "Exclusions": [],
      "Paths": ["s3://${ProcessedBucket}/a/", "s3://${ArtifactsBucket}/b/", "s3://elsewhere/c/"],
      "QuoteChar": "quote",
      "Separator": "comma"
    }
  },
  "node-2": {
    "ApplyMapping": {
      "Name": "Typed",
      "Inputs": ["node-1"],
      "Mapping": [
        {"FromPath": ["id"], "FromType": "string", "ToKey": "id", "ToType": "bigint"},
        {"FromPath": ["title"], "FromType": "string", "ToKey": "title", "ToType": "string"},
        {"FromPath": ["year"], "FromType": "string", "ToKey": "year", "ToType": "int"}
      ]
    }
  },
  "node-3": {
    "SparkSQL": {
      "Name": "Old films",
      "Inputs": ["node-2"],
      "SqlAliases": [
        {"Alias": "films", "From": "node-2"}
      ],
      "SqlQuery": "${file:old.sql}"
    }
  },
  "node-4": {
    "EvaluateDataQualityMultiFrame": {
      "Name": "Rules",
      "Inputs": ["node-3"],
      "PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},
      "Ruleset": "${file:rules.dqdl}"
    }
  },
  "node-5": {
    "EvaluateDataQualityMultiFrame": {
      "Name": "Same rules",
      "Inputs": ["node-2"],
      "Ruleset": "${file:rules.dqdl}"
    }
  },
  "node-6": {
    "AmazonRedshiftTarget": {
      "Name": "Warehouse",
      "Inputs": ["node-2"],
      "Data": {
        "AdvancedOptions": [
          {"Key": "extracopyoptions", "Value": "${file:copy.txt}"}
        ],
        "Connection": {"Value": "${WarehouseConnection}"},
        "Schema": {"Value": "lake"},
        "Table": {"Value": "films"}
      }
    }
  }
}
`

var files = map[string]string{
	"old.sql":    "select * from films\nwhere year < 1950\n",
	"rules.dqdl": "Rules = [ RowCount > 0 ]\n",
	"copy.txt":   "TRUNCATECOLUMNS",
}

var values = map[string]string{
	"ArtifactsBucket": "dev-artifacts", "BatchDatabase": "dev_batch", "ProcessedBucket": "dev-processed",
	"ProcessedDatabase": "dev_lake", "TempDir": "s3://dev-temporary/", "WarehouseConnection": "dev-warehouse",
}

func read(name string) (string, error) {
	text, has := files[name]
	if !has {
		return "", os.ErrNotExist
	}
	return text, nil
}

// onGlue is a Glue that answers GetJob with this job.
func onGlue(t *testing.T, job string) *glue.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(out, `{"Job": %s}`, job)
	}))
	t.Cleanup(server.Close)
	return glue.New(glue.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{}})
}

// deployed reads a job that has the nodes of this text.
func deployed(t *testing.T, nodes string, values map[string]string) Deployed {
	t.Helper()
	arguments := map[string]string{}
	for name, value := range values {
		arguments["--"+name] = value
	}
	text, err := json.Marshal(arguments)
	require.NoError(t, err)
	job, err := Job(t.Context(), onGlue(t, fmt.Sprintf(`{"CodeGenConfigurationNodes": %s, "DefaultArguments": %s}`, nodes, text)), "job")
	require.NoError(t, err)
	return job
}

// registered is the text of a DAG as it stands on AWS.
func registered(t *testing.T, dag *visual.DAG) string {
	t.Helper()
	nodes, err := dag.Resolve(values)
	require.NoError(t, err)
	text, err := visual.Marshal(nodes)
	require.NoError(t, err)
	return string(text)
}

// differences are the lines that one text has more often than another.
func differences(text, than string) []string {
	left := strings.Split(than, "\n")
	var more []string
	for _, line := range strings.Split(text, "\n") {
		if at := slices.Index(left, line); at >= 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		more = append(more, strings.TrimSpace(line))
	}
	return more
}

func TestWhatWasEditedOnTheCanvasIsAllThatDiffers(t *testing.T) {
	const (
		paths  = `"Paths": ["s3://${ProcessedBucket}/a/", "s3://${ArtifactsBucket}/b/", "s3://elsewhere/c/"],`
		onAWS  = `["s3://dev-processed/a/", "s3://dev-artifacts/b/", "s3://elsewhere/c/"]`
		option = `{"Key": "extracopyoptions", "Value": "TRUNCATECOLUMNS"}`
		title  = `{"FromPath": ["title"], "FromType": "string", "ToKey": "title", "ToType": "string"},`
		year   = `{"FromPath": ["year"], "FromType": "string", "ToKey": "year", "ToType": "int"}`
		votes  = `{"FromPath": ["votes"], "FromType": "string", "ToKey": "votes", "ToType": "int"},`
	)
	films, typed, rulesNode, warehouse := `changed: node-1, S3CsvSource "Films"`, `changed: node-2, ApplyMapping "Typed"`,
		`changed: node-4, EvaluateDataQualityMultiFrame "Rules"`, `changed: node-6, AmazonRedshiftTarget "Warehouse"`
	for _, c := range []struct {
		name string
		// on AWS, before and after the edit
		before, after string
		// in the project: lines of the DAG, texts of files, what is said
		gone, added []string
		files       map[string]string
		nodes, said []string
	}{
		{name: "nothing", before: "{", after: "{"},
		{
			name: "a text around a placeholder", before: `"s3://dev-processed/dev_batch/"`, after: `"s3://dev-processed/new/dev_batch/x/"`,
			gone:  []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},`},
			added: []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/new/${BatchDatabase}/x/"},`},
			nodes: []string{rulesNode},
		},
		{
			name: "one of two placeholders taken out", before: `"s3://dev-processed/dev_batch/"`, after: `"s3://dev-processed/fixed/"`,
			gone:  []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},`},
			added: []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/fixed/"},`},
			nodes: []string{rulesNode},
		},
		{
			name: "two placeholders swapped", before: `"s3://dev-processed/dev_batch/"`, after: `"s3://dev_batch/dev-processed/"`,
			gone:  []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},`},
			added: []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${BatchDatabase}/${ProcessedBucket}/"},`},
			nodes: []string{rulesNode},
		},
		{
			name: "a value in a field that had no placeholder", before: `"Schema": {"Value": "lake"}`, after: `"Schema": {"Value": "dev_batch"}`,
			gone: []string{`"Schema": {"Value": "lake"},`}, added: []string{`"Schema": {"Value": "dev_batch"},`},
			nodes: []string{warehouse},
			said:  []string{`node-6.AmazonRedshiftTarget.Data.Schema.Value: "dev_batch" holds the value of ${BatchDatabase} of this environment`},
		},
		{
			name: "a value of another field's placeholder", before: `"EvaluationContext": "dev_batch"`, after: `"EvaluationContext": "dev-warehouse"`,
			gone:  []string{`"PublishingOptions": {"EvaluationContext": "${BatchDatabase}", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},`},
			added: []string{`"PublishingOptions": {"EvaluationContext": "dev-warehouse", "ResultsS3Prefix": "s3://${ProcessedBucket}/${BatchDatabase}/"},`},
			nodes: []string{rulesNode},
			said:  []string{`node-4.EvaluateDataQualityMultiFrame.PublishingOptions.EvaluationContext: "dev-warehouse" holds the value of ${WarehouseConnection} of this environment`},
		},
		{
			name: "a placeholder typed on the canvas", before: `"Table": {"Value": "films"}`, after: `"Table": {"Value": "${TempDir}"}`,
			gone: []string{`"Table": {"Value": "films"}`}, added: []string{`"Table": {"Value": "${TempDir}"}`},
			nodes: []string{warehouse},
			said:  []string{`node-6.AmazonRedshiftTarget.Data.Table.Value: "${TempDir}" came with ${TempDir}, which is plain text on AWS and a deploy-time name here`},
		},
		{
			name: "texts of a list in another order", before: onAWS, after: `["s3://elsewhere/c/", "s3://dev-artifacts/b/", "s3://dev-processed/a/"]`,
			gone:  []string{paths},
			added: []string{`"Paths": ["s3://elsewhere/c/", "s3://${ArtifactsBucket}/b/", "s3://${ProcessedBucket}/a/"],`},
			nodes: []string{films},
		},
		{
			name: "a list with a further text before", before: onAWS, after: `["s3://dev-artifacts/new/", "s3://dev-processed/a/", "s3://dev-artifacts/b/", "s3://elsewhere/c/"]`,
			gone:  []string{paths},
			added: []string{`"Paths": ["s3://${ArtifactsBucket}/new/", "s3://${ProcessedBucket}/a/", "s3://${ArtifactsBucket}/b/", "s3://elsewhere/c/"],`},
			nodes: []string{films},
		},
		{
			name: "a list with a text less and one changed", before: onAWS, after: `["s3://dev-artifacts/b/2/", "s3://elsewhere/c/"]`,
			gone:  []string{paths},
			added: []string{`"Paths": ["s3://${ArtifactsBucket}/b/2/", "s3://elsewhere/c/"],`},
			nodes: []string{films},
		},
		{
			name: "a line less in a mapping", before: title, after: "",
			gone: []string{title}, nodes: []string{typed},
		},
		{
			name: "a line more in a mapping", before: year, after: votes + year,
			added: []string{votes}, nodes: []string{typed},
		},
		{
			name: "a further option before one from a file", before: option, after: `{"Key": "tempformat", "Value": "CSV"}, ` + option,
			added: []string{`{"Key": "tempformat", "Value": "CSV"},`},
			nodes: []string{warehouse},
		},
		{
			name: "the text of a file", before: `< 1950\n`, after: `< 1940\n`,
			files: map[string]string{"old.sql": "select * from films\nwhere year < 1940\n"},
			nodes: []string{`changed: node-3, SparkSQL "Old films"`},
		},
		{
			name: "the text of a file that another node includes as well", before: `0 ]\n"
    }
  },`, after: `1 ]"}},`,
			gone: []string{`"Ruleset": "${file:rules.dqdl}"`}, added: []string{`"Ruleset": "Rules = [ RowCount > 1 ]"`},
			nodes: []string{rulesNode},
			said:  []string{"node-4.EvaluateDataQualityMultiFrame.Ruleset: its text, no longer that of rules.dqdl, which other fields include too, stands in the DAG now"},
		},
		{
			name: "nothing but what Glue tells where nothing was given", before: `"QuoteChar"`, after: `"OutputSchemas": [], "Escaper": "", "AdditionalOptions": {}, "QuoteChar"`,
		},
		{
			name: "a name, and Glue tells more", before: `"Name": "Films",`, after: `"Name": "All films", "OutputSchemas": [], "Escaper": "",`,
			gone: []string{`"Name": "Films",`}, added: []string{`"Name": "All films",`},
			nodes: []string{`changed: node-1, S3CsvSource "All films"`},
		},
		{
			name: "a name, and Glue leaves out what is empty", before: `"Name": "Films",
      "Exclusions": [],`, after: `"Name": "All films",`,
			gone: []string{`"Name": "Films",`}, added: []string{`"Name": "All films",`},
			nodes: []string{`changed: node-1, S3CsvSource "All films"`},
		},
		{
			name: "a node more, which has no forms of its own", before: `"node-6": {`,
			after: `"node-7": {"S3DirectTarget": {"Name": "Copy", "Inputs": ["node-2"], "Path": "s3://dev-processed/x/", "Format": "json"}}, "node-6": {`,
			added: []string{`},`, `"node-7": {`, `"S3DirectTarget": {`, `"Name": "Copy",`, `"Inputs": ["node-2"],`, `"Format": "json",`, `"Path": "s3://dev-processed/x/"`, `}`},
			nodes: []string{`new: node-7, S3DirectTarget "Copy"`},
			said:  []string{`node-7.S3DirectTarget.Path: "s3://dev-processed/x/" holds the value of ${ProcessedBucket} of this environment`},
		},
		{
			name: "a node of another type", before: `"ApplyMapping": {
      "Name": "Typed",
      "Inputs": ["node-1"],
      "Mapping": [
        {"FromPath": ["id"], "FromType": "string", "ToKey": "id", "ToType": "bigint"},
        {"FromPath": ["title"], "FromType": "string", "ToKey": "title", "ToType": "string"},
        {"FromPath": ["year"], "FromType": "string", "ToKey": "year", "ToType": "int"}
      ]`, after: `"DropDuplicates": {"Name": "Once", "Inputs": ["node-1"]`,
			gone: []string{
				`"ApplyMapping": {`, `"Name": "Typed",`, `"Inputs": ["node-1"],`, `"Mapping": [`,
				`{"FromPath": ["id"], "FromType": "string", "ToKey": "id", "ToType": "bigint"},`, title, year, `]`,
			},
			added: []string{`"DropDuplicates": {`, `"Name": "Once",`, `"Inputs": ["node-1"]`},
			nodes: []string{`changed: node-2, DropDuplicates "Once"`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dag, err := visual.Parse("job.dag.json", []byte(written), read)
			require.NoError(t, err)
			nodes := registered(t, dag)
			require.Contains(t, nodes, c.before)

			changes, err := Merge(dag, deployed(t, strings.Replace(nodes, c.before, c.after, 1), values), read)

			require.NoError(t, err)
			require.NoError(t, changes.Broken)
			home := contents(changes)
			assert.Equal(t, c.gone, differences(written, home["job.dag.json"]))
			assert.Equal(t, c.added, differences(home["job.dag.json"], written))
			delete(home, "job.dag.json")
			delete(home, "job.py")
			assert.Equal(t, c.files, none(home))
			assert.Equal(t, c.nodes, changes.Nodes)
			assert.Equal(t, c.said, changes.Literals)
		})
	}
}

// contents are the files of changes by name.
func contents(changes Changes) map[string]string {
	texts := map[string]string{}
	for _, file := range changes.Files {
		texts[file.Path] = string(file.Content)
	}
	return texts
}

// none is nil for an empty map.
func none(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	return texts
}

func TestANodeThatIsGoneIsTold(t *testing.T) {
	dag, err := visual.Parse("job.dag.json", []byte(written), read)
	require.NoError(t, err)
	job := deployed(t, registered(t, dag), values)
	delete(job.Nodes, "node-5")

	changes, err := Merge(dag, job, read)

	require.NoError(t, err)
	assert.Equal(t, []string{`gone: node-5, EvaluateDataQualityMultiFrame "Same rules"`}, changes.Nodes)
	assert.NotContains(t, contents(changes)["job.dag.json"], "node-5")
	assert.NotContains(t, contents(changes)["job.py"], "node5")
}

// In whatever order a list comes back: an item that was there is written as it was, also if another one
// has the same value by another form.
func TestEqualValuesInAListKeepTheirOwnForms(t *testing.T) {
	dag, err := visual.Parse("job.dag.json", []byte(strings.Replace(written, "s3://elsewhere/c/", "s3://dev-processed/a/", 1)), read)
	require.NoError(t, err)

	changes, err := Merge(dag, deployed(t, strings.Replace(registered(t, dag), "s3://dev-artifacts/b/", "s3://dev-artifacts/b/2/", 1), values), read)

	require.NoError(t, err)
	assert.Contains(t, contents(changes)["job.dag.json"], `"Paths": ["s3://${ProcessedBucket}/a/", "s3://${ArtifactsBucket}/b/2/", "s3://dev-processed/a/"]`)
}

// The names of golden cases that the settings do not know stand for some that they do.
var known = strings.NewReplacer("${Connection}", "${WarehouseConnection}", "${Table}", "${ProcessedDatabase}")

func TestWhatWasNotEditedComesHomeToTheByte(t *testing.T) {
	var found []string
	for _, pattern := range []string{"glue-scripts/*.dag.json", "test/python/visual/*/dag.json"} {
		matches, err := filepath.Glob(filepath.Join(checkout, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, matches)
		found = append(found, matches...)
	}
	readHere := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(checkout, name))
		return string(text), err
	}
	for _, file := range found {
		t.Run(strings.TrimPrefix(filepath.ToSlash(file), checkout+"/"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			dag, err := visual.Parse("job.dag.json", []byte(known.Replace(string(content))), readHere)
			require.NoError(t, err)
			layout, err := dag.Marshal()
			require.NoError(t, err)
			script, err := visual.Script(dag)
			require.NoError(t, err)
			// As a service answers: members in any order.
			var shuffled map[string]any
			require.NoError(t, json.Unmarshal([]byte(registered(t, dag)), &shuffled))
			text, err := json.Marshal(shuffled)
			require.NoError(t, err)

			changes, err := Merge(dag, deployed(t, string(text), values), readHere)

			require.NoError(t, err)
			require.NoError(t, changes.Broken)
			assert.Equal(t, map[string]string{"job.dag.json": string(layout), "job.py": string(script)}, contents(changes))
			assert.Empty(t, slices.Concat(changes.Nodes, changes.Literals))
		})
	}
}

func TestWhatNoScriptCanBeMadeFromIsWrittenAsItIs(t *testing.T) {
	dag, err := visual.Parse("job.dag.json", []byte(written), read)
	require.NoError(t, err)
	spigot := `{"node-9": {"Spigot": {"Name": "Sample", "Inputs": ["node-2"], "Path": "s3://dev-processed/sample/"}},`

	changes, err := Merge(dag, deployed(t, strings.Replace(registered(t, dag), "{", spigot, 1), values), read)

	require.NoError(t, err)
	require.ErrorContains(t, changes.Broken, "no script can be generated for a node of type Spigot; known are Aggregate")
	home := contents(changes)
	assert.Equal(t, []string{"job.dag.json"}, slices.Collect(maps.Keys(home)))
	assert.Contains(t, home["job.dag.json"], `"Spigot"`)
	assert.Contains(t, home["job.dag.json"], `"s3://${ProcessedBucket}/a/"`, "the other nodes keep their forms")
}

func TestValuesThatAreMissingOrContainEachOther(t *testing.T) {
	dag, err := visual.Parse("job.dag.json", []byte(written), read)
	require.NoError(t, err)
	nodes := registered(t, dag)
	fewer, nested := maps.Clone(values), maps.Clone(values)
	delete(fewer, "BatchDatabase")
	nested["BatchDatabase"] = "dev"
	for _, c := range []struct {
		values map[string]string
		want   string
	}{
		{fewer, "the deployed job has no argument --BatchDatabase, which ${BatchDatabase} in job.dag.json stands for; deploy the present version first"},
		{nested, `the value of ${ArtifactsBucket}, "dev-artifacts", contains that of ${BatchDatabase}, "dev": a DAG that uses both could not be taken home from the canvas`},
	} {
		_, err := Merge(dag, deployed(t, nodes, c.values), read)
		assert.EqualError(t, err, c.want)
	}
}

func TestJobsThatCannotBeTakenHome(t *testing.T) {
	for name, c := range map[string]struct{ job, want string }{
		"without a DAG": {`{"Name": "job"}`, ErrNoDAG.Error()},
		"with a member that the SDK does not know": {
			`{"CodeGenConfigurationNodes": {"node-1": {"S3CsvSource": {"Name": "Films", "Paths": [], "Colour": "red", "Depth": 0, "Old": false, "Tags": []}}}}`,
			"the DAG on AWS has what this version does not know: node-1.S3CsvSource.Colour, node-1.S3CsvSource.Depth; a newer version of the Glue SDK in go.mod may",
		},
		"with a type that the SDK does not know": {
			`{"CodeGenConfigurationNodes": {"node-1": {"Telepathy": {"Name": "Films"}}}}`,
			"the DAG on AWS has what this version does not know: node-1.Telepathy; a newer version of the Glue SDK in go.mod may",
		},
	} {
		_, err := Job(t.Context(), onGlue(t, c.job), "job")
		assert.EqualError(t, err, c.want, name)
	}
}

func TestAJobThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(out, `{"__type": "EntityNotFoundException", "Message": "Job job not found"}`)
	}))
	t.Cleanup(server.Close)
	client := glue.New(glue.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{}})
	_, err := Job(t.Context(), client, "job")
	assert.ErrorIs(t, err, ErrNoJob)
}
