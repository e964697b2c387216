package visual

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The nodes that the cases below stand among: node-1 with the columns a and b, and a target.
const (
	sourceAB = `"node-1": {"S3CsvSource": {"Name": "In", "Paths": ["s3://x/"], "Separator": "comma", "QuoteChar": "quote",
		"OutputSchemas": [{"Columns": [{"Name": "a", "Type": "string"}, {"Name": "b", "Type": "int"}]}]}}`
	targetOf2 = `"node-9": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-2"], "Path": "s3://x/", "Format": "json"}}`
)

// around puts a node-2 between the source and the target.
func around(node string) string {
	return "{" + sourceAB + `, "node-2": ` + node + ", " + targetOf2 + "}"
}

// selected puts a node-2 that gives a collection between the source and the target.
func selected(node string) string {
	return "{" + sourceAB + `, "node-2": ` + node + `, "node-3": {"SelectFromCollection": {"Name": "S", "Inputs": ["node-2"], "Index": 0}}, ` +
		strings.Replace(targetOf2, "node-2", "node-3", 1) + "}"
}

func TestWhatIsWrongIsSaidInOneLine(t *testing.T) {
	const second = `job.dag.json: node node-2 "N": `
	cases := []struct{ name, content, want string }{
		{"no JSON", "{\n  \"node-1\": {,\n}", `job.dag.json: line 2, column 14: invalid character ','`},
		{"too short", `{"node-1": {`, `job.dag.json: line 1, column 13: the JSON text ends too soon`},
		{"text after the end", `{} {}`, `job.dag.json: line 1, column 5: text after the end of the JSON value`},
		{"no object", `[]`, `job.dag.json: want an object of node ids, as CodeGenConfigurationNodes of the Glue API`},
		{"empty", `{}`, `job.dag.json: there is no node`},
		{"an id twice", `{"node-1": {}, "node-1": {}}`, `job.dag.json: line 1, column 24: "node-1" stands twice in one object`},
		{"an id of other characters", `{"node 1": {"Spigot": {}}}`, `job.dag.json: node node 1: a node's id has letters, digits, _ and - only`},
		{"two types", around(`{"Filter": {}, "Union": {}}`), `job.dag.json: node node-2: want exactly one type of node, not 2: Filter, Union`},
		{"no type", around(`{}`), `job.dag.json: node node-2: want exactly one type of node, not 0: `},
		{"type of another case", around(`{"filter": {}}`), `job.dag.json: node node-2: the Glue API has no node of type "filter"; known here are ` + strings.Join(Types(), ", ")},
		{"type without a script", around(`{"Spigot": {}}`), `job.dag.json: node node-2: no script can be generated for a node of type Spigot; known are ` + strings.Join(Types(), ", ")},
		{"unknown field", around(`{"DropFields": {"Name": "N", "Input": ["node-1"], "Paths": []}}`), `job.dag.json: node node-2: DropFields: unknown field "Input"; known are Inputs, Name, Paths`},
		{"field of another case", around(`{"DropFields": {"name": "N", "Inputs": ["node-1"], "Paths": []}}`), `job.dag.json: node node-2: DropFields: unknown field "name"; want "Name"`},
		{"nested unknown field", around(`{"ApplyMapping": {"Name": "N", "Inputs": ["node-1"], "Mapping": [{"From": "a"}]}}`), `job.dag.json: node node-2: ApplyMapping.Mapping[0]: unknown field "From"; known are Children, Dropped, FromPath, FromType, ToKey, ToType`},
		{"null", around(`{"DropFields": {"Name": null}}`), `job.dag.json: node node-2: DropFields.Name: null; leave the field out`},
		{"number for a text", around(`{"DropFields": {"Name": 1}}`), `job.dag.json: node node-2: DropFields.Name: want a text, not 1`},
		{"text for a list", around(`{"DropFields": {"Name": "N", "Inputs": "node-1"}}`), `job.dag.json: node node-2: DropFields.Inputs: want a list, not "node-1"`},
		{"text for a number", around(`{"SelectFromCollection": {"Index": "1"}}`), `job.dag.json: node node-2: SelectFromCollection.Index: want a whole number, not "1"`},
		{"half a number", around(`{"SelectFromCollection": {"Index": 1.5}}`), `job.dag.json: node node-2: SelectFromCollection.Index: want a whole number, not 1.5`},
		{"number for true", around(`{"ApplyMapping": {"Mapping": [{"Dropped": 1}]}}`), `job.dag.json: node node-2: ApplyMapping.Mapping[0].Dropped: want true or false, not 1`},
		{"list for an object", around(`{"DropNullFields": {"NullCheckBoxList": []}}`), `job.dag.json: node node-2: DropNullFields.NullCheckBoxList: want an object, not a list`},
		{"value of no enumeration", around(`{"Union": {"UnionType": "SOME"}}`), `job.dag.json: node node-2: Union.UnionType: "SOME" is none of ALL, DISTINCT`},
		{"key of no enumeration", "{" + sourceAB + `, "node-2": {"EvaluateDataQualityMultiFrame": {"Name": "N", "Inputs": ["node-1"], "Ruleset": "Rules = [ RowCount > 0 ]", "AdditionalOptions": {"caching": "x"}}}}`, second + `AdditionalOptions: "caching" is none of performanceTuning.caching, observations.scope, compositeRuleEvaluation.method`},
		{"no name", around(`{"DropFields": {"Inputs": ["node-1"], "Paths": []}}`), `job.dag.json: node node-2: Name: a node needs a name`},
		{"name of another", around(`{"DropFields": {"Name": "In", "Inputs": ["node-1"], "Paths": []}}`), `job.dag.json: node node-2 "In": Name: node node-1 has this name as well`},
		{"missing member", around(`{"RenameField": {"Name": "N", "Inputs": ["node-1"], "SourcePath": ["a"]}}`), second + `TargetPath: missing; a node of type RenameField needs it`},
		{"dangling input", around(`{"DropFields": {"Name": "N", "Inputs": ["node-7"], "Paths": []}}`), second + `Inputs[0]: there is no node "node-7"`},
		{"too few inputs", around(`{"Union": {"Name": "N", "Inputs": ["node-1"], "UnionType": "ALL"}}`), second + `Inputs: a node of type Union reads 2 nodes, not 1`},
		{"too many inputs", "{" + sourceAB + `, "node-3": {"DropDuplicates": {"Name": "S", "Inputs": ["node-1"]}}, "node-2": {"DropFields": {"Name": "N", "Inputs": ["node-1", "node-3"], "Paths": []}}, ` + targetOf2 + "}", second + `Inputs: a node of type DropFields reads 1 node, not 2`},
		{"an input twice", around(`{"Union": {"Name": "N", "Inputs": ["node-1", "node-1"], "UnionType": "ALL"}}`), second + `Inputs[1]: node-1 is an input already`},
		{"input from a target", around(`{"Union": {"Name": "N", "Inputs": ["node-1", "node-9"], "UnionType": "ALL"}}`), second + `Inputs[1]: node-9 is a target, of type S3DirectTarget, which gives nothing to read`},
		{"orphan", `{` + sourceAB + `, "node-2": {"DropFields": {"Name": "N", "Inputs": ["node-1"], "Paths": []}}}`, second + `no node reads this one, so what it does goes nowhere; remove it or read it`},
		{"selection from one frame", around(`{"SelectFromCollection": {"Name": "N", "Inputs": ["node-1"], "Index": 0}}`), second + `Inputs[0]: node-1, of type S3CsvSource, gives one frame, no collection to select from`},
		{"collection read as one frame", around(`{"SplitFields": {"Name": "N", "Inputs": ["node-1"], "Paths": [["a"]]}}`), `job.dag.json: node node-9 "Out": Inputs[0]: node-2, of type SplitFields, gives a collection; take a frame of it with a node of type SelectFromCollection`},
		{"half a placeholder", around(`{"SparkSQL": {"Name": "${x", "Inputs": ["node-1"]}}`), `job.dag.json: node node-2 "${x": Name: "${x" has a ${ that begins no ${Name}; a text that needs one stands in a file of its own: ${file:...}`},
		{"include inside a text", around(`{"DropFields": {"Name": "x ${file:rules.dqdl}"}}`), `job.dag.json: node node-2 "x ${file:rules.dqdl}": Name: "x ${file:rules.dqdl}": a ${file:...} is the whole value of a field`},
		{"include of nothing", around(`{"DropFields": {"Name": "${file:none.sql}"}}`), `job.dag.json: node node-2 "${file:none.sql}": Name: ${file:none.sql}: there is no such file to read in the checkout`},
		{"include from outside", around(`{"DropFields": {"Name": "${file:../secret}"}}`), `job.dag.json: node node-2 "${file:../secret}": Name: ${file:../secret}: want a path relative to the checkout, and inside it`},
		{"input without an alias", around(`{"SparkSQL": {"Name": "N", "Inputs": ["node-1"], "SqlQuery": "select 1", "SqlAliases": []}}`), second + `SqlAliases: the input node-1 has no alias, so no query can read it`},
		{"alias of no input", around(`{"SparkSQL": {"Name": "N", "Inputs": ["node-1"], "SqlQuery": "select 1", "SqlAliases": [{"From": "node-1", "Alias": "x"}, {"From": "node-9", "Alias": "y"}]}}`), second + `SqlAliases[1]: From "node-9" is no input of this node`},
		{"mapping without a type", around(`{"ApplyMapping": {"Name": "N", "Inputs": ["node-1"], "Mapping": [{"FromPath": ["a"], "FromType": "string", "ToKey": "a"}]}}`), second + `Mapping[0].ToType: missing`},
		{"mapped column of no parent", around(`{"ApplyMapping": {"Name": "N", "Inputs": ["node-1"], "Mapping": [{"FromPath": ["c"], "FromType": "string", "ToKey": "c", "ToType": "string"}]}}`), second + `Mapping[0].FromPath: column "c" is not among those of the input: a, b`},
		{"mapped twice", around(`{"ApplyMapping": {"Name": "N", "Inputs": ["node-1"], "Mapping": [
			{"FromPath": ["a"], "FromType": "string", "ToKey": "x", "ToType": "string"}, {"FromPath": ["b"], "FromType": "int", "ToKey": "X", "ToType": "int"}]}}`), second + `Mapping[1].ToKey: column "X" is mapped to twice`},
		{"selected column of no parent", around(`{"SelectFields": {"Name": "N", "Inputs": ["node-1"], "Paths": [["c"]]}}`), second + `Paths: column "c" is not among those of the input: a, b`},
		{"selected column in another case", around(`{"SelectFields": {"Name": "N", "Inputs": ["node-1"], "Paths": [["A"]]}}`), second + `Paths: column "A" is "a" in the input: here the case counts`},
		{"dropped column in another case", around(`{"DropFields": {"Name": "N", "Inputs": ["node-1"], "Paths": [["a"], ["B"]]}}`), second + `Paths: column "B" is "b" in the input: here the case counts`},
		{"filter on a column in another case", around(`{"Filter": {"Name": "N", "Inputs": ["node-1"], "LogicalOperator": "AND", "Filters": [{"Operation": "ISNULL", "Values": [{"Type": "COLUMNEXTRACTED", "Value": ["A"]}]}]}}`), second + `Filters[0].Values[0]: column "A" is "a" in the input: here the case counts`},
		{"dropped column of no parent", around(`{"DropFields": {"Name": "N", "Inputs": ["node-1"], "Paths": [["c"]]}}`), second + `Paths: column "c" is not among those of the input: a, b`},
		{"renamed column of no parent", around(`{"RenameField": {"Name": "N", "Inputs": ["node-1"], "SourcePath": ["c"], "TargetPath": ["d"]}}`), second + `SourcePath: column "c" is not among those of the input: a, b`},
		{"renamed to one that is there", around(`{"RenameField": {"Name": "N", "Inputs": ["node-1"], "SourcePath": ["a"], "TargetPath": ["b"]}}`), second + `TargetPath: the input has a column "b" already`},
		{"distinct by a column of no parent", around(`{"DropDuplicates": {"Name": "N", "Inputs": ["node-1"], "Columns": [["c"]]}}`), second + `Columns: column "c" is not among those of the input: a, b`},
		{"distinct by a column of an odd name", around(`{"DropDuplicates": {"Name": "N", "Inputs": ["node-1"], "Columns": [["a b"]]}}`), second + `Columns[0]: "a b": the Glue API takes letters, digits, _ and - here; rename the column before`},
		{"filter on a column of no parent", around(`{"Filter": {"Name": "N", "Inputs": ["node-1"], "LogicalOperator": "AND", "Filters": [{"Operation": "EQ", "Values": [{"Type": "COLUMNEXTRACTED", "Value": ["c"]}, {"Type": "CONSTANT", "Value": ["1"]}]}]}}`), second + `Filters[0].Values[0]: column "c" is not among those of the input: a, b`},
		{"filter of one value", around(`{"Filter": {"Name": "N", "Inputs": ["node-1"], "LogicalOperator": "AND", "Filters": [{"Operation": "EQ", "Values": [{"Type": "COLUMNEXTRACTED", "Value": ["a"]}]}]}}`), second + `Filters[0].Values: EQ compares 2 values, not 1`},
		{"aggregate of a column of no parent", around(`{"Aggregate": {"Name": "N", "Inputs": ["node-1"], "Groups": [["a"]], "Aggs": [{"AggFunc": "sum", "Column": ["c"]}]}}`), second + `Aggs[0].Column: column "c" is not among those of the input: a, b`},
		{"join by a column of no parent", "{" + sourceAB + `, "node-2": {"Join": {"Name": "N", "Inputs": ["node-1", "node-3"], "JoinType": "left",
			"Columns": [{"From": "node-1", "Keys": [["a"]]}, {"From": "node-3", "Keys": [["z"]]}]}},
			"node-3": {"SelectFields": {"Name": "S", "Inputs": ["node-1"], "Paths": [["a"]]}}, ` + targetOf2 + "}", second + `Columns: keys of node-3: column "z" is not among those of the input: a`},
		{"join that has a column twice", "{" + sourceAB + `, "node-2": {"Join": {"Name": "N", "Inputs": ["node-1", "node-3"], "JoinType": "left",
			"Columns": [{"From": "node-1", "Keys": [["a"]]}, {"From": "node-3", "Keys": [["a"]]}]}},
			"node-3": {"SelectFields": {"Name": "S", "Inputs": ["node-1"], "Paths": [["a"]]}}, ` + targetOf2 + "}", second + `Columns: both inputs have a column "a"; rename one of them before (a node of type RenameField or ApplyMapping)`},
		{"join without keys", "{" + sourceAB + `, "node-2": {"Join": {"Name": "N", "Inputs": ["node-1", "node-3"], "JoinType": "left", "Columns": [{"From": "node-1", "Keys": [["a"]]}]}},
			"node-3": {"SelectFields": {"Name": "S", "Inputs": ["node-1"], "Paths": [["a"]]}}, ` + targetOf2 + "}", second + "Columns: no keys From node-3, which is an input\n" + second + "Columns: 1 keys on one side, 0 on the other"},
		{"union of other columns", "{" + sourceAB + `, "node-2": {"Union": {"Name": "N", "Inputs": ["node-1", "node-3"], "UnionType": "ALL"}},
			"node-3": {"SelectFields": {"Name": "S", "Inputs": ["node-1"], "Paths": [["b"], ["a"]]}}, ` + targetOf2 + "}", second + `Inputs: a union goes by position, but the inputs have the columns a, b and b, a`},
		{"circle", "{" + sourceAB + `, "node-2": {"Union": {"Name": "N", "Inputs": ["node-1", "node-3"], "UnionType": "ALL"}},
			"node-3": {"DropFields": {"Name": "S", "Inputs": ["node-2"], "Paths": []}}, ` + targetOf2 + "}", `job.dag.json: the nodes node-2, node-3, node-9 read one another in a circle`},
		{"frame out of reach", "{" + sourceAB + `, "node-2": {"SelectFromCollection": {"Name": "N", "Inputs": ["node-3"], "Index": 2}},
			"node-3": {"SplitFields": {"Name": "S", "Inputs": ["node-1"], "Paths": [["a"]]}}, ` + targetOf2 + "}", second + `Index: 2; node-3 gives 2 frames: S_node30, S_node31`},
		{"frame of another name", "{" + sourceAB + `, "node-2": {"SelectFromCollection": {"Name": "rowLevelOutcomes", "Inputs": ["node-3"], "Index": 0}},
			"node-3": {"EvaluateDataQualityMultiFrame": {"Name": "S", "Inputs": ["node-1"], "Ruleset": "Rules = [ RowCount > 0 ]"}}, ` + targetOf2 + "}", `job.dag.json: node node-2 "rowLevelOutcomes": Index: 0 is ruleOutcomes, but the node is named after 1`},
		{"ruleset beyond ASCII", "{" + sourceAB + `, "node-2": {"EvaluateDataQualityMultiFrame": {"Name": "N", "Inputs": ["node-1"], "Ruleset": "Rules = [\n # ≥"}}}`, second + `Ruleset: line 2, column 4: a ruleset in a visual job is ASCII`},
		{"further source that is no input", "{" + sourceAB + `, "node-2": {"EvaluateDataQualityMultiFrame": {"Name": "N", "Inputs": ["node-1"], "Ruleset": "Rules = [ RowCount > 0 ]", "AdditionalDataSources": {"films": "node-1"}}}}`, second + `AdditionalDataSources.films: "node-1" is no further input of this node`},
		{"group without a name", selected(`{"Route": {"Name": "N", "Inputs": ["node-1"], "GroupFiltersList": [{"GroupName": "default_group", "LogicalOperator": "AND", "Filters": [{"Operation": "ISNULL", "Values": [{"Type": "COLUMNEXTRACTED", "Value": ["a"]}]}]}]}}`), second + `GroupFiltersList[0].GroupName: "default_group": groups need names, different from one another and from default_group`},
		{"code without a function's name", selected(`{"CustomCode": {"Name": "N", "Inputs": ["node-1"], "ClassName": "my code", "Code": "return dfc"}}`), second + `ClassName: "my code" cannot name a function`},
		{"code by a name of the script's own", selected(`{"CustomCode": {"Name": "N", "Inputs": ["node-1"], "ClassName": "args", "Code": "return dfc"}}`), second + `ClassName: "args" is a name that scripts use themselves`},
		{"format without a script", "{" + sourceAB + `, "node-2": {"S3DirectTarget": {"Name": "N", "Inputs": ["node-1"], "Path": "s3://x/", "Format": "hudi"}}}`, second + `Format: no script can be generated for hudi; known are csv, json, parquet, orc, avro`},
		{"partition by a column of no parent", "{" + sourceAB + `, "node-2": {"S3DirectTarget": {"Name": "N", "Inputs": ["node-1"], "Path": "s3://x/", "Format": "json", "PartitionKeys": [["c"]]}}}`, second + `PartitionKeys: column "c" is not among those of the input: a, b`},
		{"catalog without a table", "{" + sourceAB + `, "node-2": {"S3GlueParquetTarget": {"Name": "N", "Inputs": ["node-1"], "Path": "s3://x/", "SchemaChangePolicy": {"EnableUpdateCatalog": true, "Database": "d"}}}}`, second + `SchemaChangePolicy: EnableUpdateCatalog needs Database and Table`},
		{"automatic data quality", "{" + sourceAB + `, "node-2": {"S3GlueParquetTarget": {"Name": "N", "Inputs": ["node-1"], "Path": "s3://x/", "AutoDataQuality": {"IsEnabled": true}}}}`, second + `AutoDataQuality: scripts do not heed this field of S3GlueParquetTarget, so it must not be set`},
		{"Redshift without a table", "{" + sourceAB + `, "node-2": {"AmazonRedshiftTarget": {"Name": "N", "Inputs": ["node-1"], "Data": {"Connection": {"Value": "c"}, "Schema": {"Value": "s"}}}}}`, second + `Data.Table.Value: missing; a node of type AmazonRedshiftTarget needs it`},
		{"Redshift by another action", redshift(`"Action": "replace"`), second + `Data.Action: "replace" is none of append, truncate, drop, merge`},
		{"Redshift merge without columns", redshift(`"Action": "merge"`), second + `Data.TableSchema: missing; to merge takes the table's columns, or PreAction and PostAction`},
		{"Redshift merge without keys", redshift(`"Action": "merge", "TableSchema": [{"Value": "a", "Label": "VARCHAR"}]`), second + `Data.SelectedColumns: missing; to merge takes the columns to match rows by, or a MergeClause`},
		{"Redshift merge by another column", redshift(`"Action": "merge", "TableSchema": [{"Value": "a", "Label": "VARCHAR"}], "SelectedColumns": [{"Value": "b"}]`), second + `Data.SelectedColumns[0]: column "b" is not in TableSchema: a`},
		{"Redshift column of no parent", redshift(`"TableSchema": [{"Value": "c", "Label": "VARCHAR"}]`), second + `Data.TableSchema[0]: column "c" is not among those of the input: a, b`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.content)
			assert.EqualError(t, err, c.want)
		})
	}
}

// redshift is a target in Redshift with further members of its Data.
func redshift(members string) string {
	return "{" + sourceAB + `, "node-2": {"AmazonRedshiftTarget": {"Name": "N", "Inputs": ["node-1"],
		"Data": {"Connection": {"Value": "c"}, "Schema": {"Value": "s"}, "Table": {"Value": "t"}, ` + members + `}}}}`
}

func TestEachThingThatIsWrongHasALine(t *testing.T) {
	_, err := parse(t, `{"node-1": {"Filter": {"X": 1}}, "node-2": {"Union": {"Y": 1}}}`)
	assert.Len(t, strings.Split(err.Error(), "\n"), 2)
}

func TestAPlaceholderThatTheSettingsDoNotKnow(t *testing.T) {
	dag, err := parse(t, strings.Replace(around(`{"DropFields": {"Name": "N", "Inputs": ["node-1"], "Paths": []}}`), `"Path": "s3://x/"`, `"Path": "s3://${Bucket}/"`, 1))
	require.NoError(t, err)
	assert.NoError(t, dag.CheckNames([]string{"Bucket"}))
	assert.EqualError(t, dag.CheckNames([]string{"TempDir"}), `job.dag.json: node node-9 "Out": Path: ${Bucket} is no name that the settings know; known are TempDir`)
}

func TestColumnsAreFollowedThroughAllThatKnowsThem(t *testing.T) {
	content := "{" + sourceAB + `,
		"node-2": {"RenameField": {"Name": "Rename", "Inputs": ["node-1"], "SourcePath": ["a"], "TargetPath": ["c"]}},
		"node-3": {"EvaluateDataQualityMultiFrame": {"Name": "Rules", "Inputs": ["node-2"], "Ruleset": "${file:rules.dqdl}"}},
		"node-4": {"SelectFromCollection": {"Name": "rowLevelOutcomes", "Inputs": ["node-3"], "Index": 1}},
		"node-5": {"SplitFields": {"Name": "Split", "Inputs": ["node-4"], "Paths": [["c"], ["b"]]}},
		"node-6": {"SelectFromCollection": {"Name": "First", "Inputs": ["node-5"], "Index": 0}},
		"node-7": {"Aggregate": {"Name": "Sum", "Inputs": ["node-6"], "Groups": [["c"]], "Aggs": [{"AggFunc": "sum", "Column": ["b"]}]}},
		"node-8": {"SelectFields": {"Name": "Last", "Inputs": ["node-7"], "Paths": [["%"]]}},
		"node-9": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-8"], "Path": "s3://x/", "Format": "json"}}}`
	_, err := parse(t, strings.Replace(content, "%", "sum(b)", 1))
	require.NoError(t, err)
	_, err = parse(t, strings.Replace(content, "%", "b", 1))
	assert.EqualError(t, err, `job.dag.json: node node-8 "Last": Paths: column "b" is not among those of the input: c, sum(b)`)
}

func TestAfterAQueryColumnsAreUnknown(t *testing.T) {
	_, err := parse(t, "{"+sourceAB+`,
		"node-2": {"SparkSQL": {"Name": "N", "Inputs": ["node-1"], "SqlQuery": "select 1 as z from x", "SqlAliases": [{"From": "node-1", "Alias": "x"}]}},
		"node-3": {"SelectFields": {"Name": "Z", "Inputs": ["node-2"], "Paths": [["z"]]}},
		"node-9": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-3"], "Path": "s3://x/", "Format": "json"}}}`)
	assert.NoError(t, err)
}
