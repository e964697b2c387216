package visual

// kind is what is known of a type of node: what it is called on the canvas, how many nodes it reads,
// and how its statement is written.
type kind struct {
	// label is the name that Glue Studio shows for the type.
	label string
	role  role
	// fewest and most inputs.
	fewest, most int
	// fields are the members that emit heeds, besides Name and Inputs. A node that sets another is
	// refused: its script would silently do something else than its canvas says.
	fields []string
	emit   func(*script, *Node)
	// columns gives the columns of the output from those of the inputs, as far as they are known.
	columns func(*DAG, *Node, []schema) (schema, error)
	// outputs lists the keys of the collection that a node gives, nil for those that give one frame.
	outputs func(*Node) []string
}

// role is where a node stands: sources read nothing, targets are read by nothing.
type role int

const (
	source role = iota
	transform
	target
)

const many = 100

// kinds are the types of node that scripts are generated for, by their name in the model.
var kinds map[string]kind

// Types lists the types of node that scripts are generated for.
func Types() []string { return sortedKeys(kinds) }

// outputOnly is a hint to the canvas, without effect on a script.
const outputOnly = "OutputSchemas"

func init() {
	files := []string{
		"Paths", "AdditionalOptions", "CompressionType", "Exclusions", "GroupFiles", "GroupSize", "MaxBand", "MaxFilesInBand",
		outputOnly, "Recurse",
	}
	kinds = map[string]kind{
		"S3CatalogSource": {
			label: "AWS Glue Data Catalog", role: source,
			fields: []string{"Database", "Table", "AdditionalOptions", "PartitionPredicate"},
			emit:   emitS3CatalogSource, columns: unknownColumns,
		},
		"CatalogSource": {
			label: "AWS Glue Data Catalog", role: source,
			fields: []string{"Database", "Table", "PartitionPredicate", outputOnly},
			emit:   emitCatalogSource, columns: declaredColumns,
		},
		"S3CsvSource": {
			label: "Amazon S3, CSV", role: source,
			fields: append([]string{
				"Separator", "QuoteChar", "Escaper", "Multiline", "OptimizePerformance", "SkipFirst", "WithHeader", "WriteHeader",
			}, files...),
			emit: emitS3CsvSource, columns: declaredColumns,
		},
		"S3JsonSource": {
			label: "Amazon S3, JSON", role: source,
			fields: append([]string{"JsonPath", "Multiline"}, files...),
			emit:   emitS3JSONSource, columns: declaredColumns,
		},
		"S3ParquetSource": {
			label: "Amazon S3, Parquet", role: source,
			fields: files, emit: emitS3ParquetSource, columns: declaredColumns,
		},
		"ApplyMapping": {
			label: "Change Schema", role: transform, fewest: 1, most: 1,
			fields: []string{"Mapping"}, emit: emitApplyMapping, columns: mappedColumns,
		},
		"SelectFields": {
			label: "Select Fields", role: transform, fewest: 1, most: 1,
			fields: []string{"Paths"}, emit: emitSelectFields, columns: selectedColumns,
		},
		"DropFields": {
			label: "Drop Fields", role: transform, fewest: 1, most: 1,
			fields: []string{"Paths"}, emit: emitDropFields, columns: keptColumns,
		},
		"RenameField": {
			label: "Rename Field", role: transform, fewest: 1, most: 1,
			fields: []string{"SourcePath", "TargetPath"}, emit: emitRenameField, columns: renamedColumns,
		},
		"Filter": {
			label: "Filter", role: transform, fewest: 1, most: 1,
			fields: []string{"Filters", "LogicalOperator"}, emit: emitFilter, columns: filteredColumns,
		},
		"DropDuplicates": {
			label: "Drop Duplicates", role: transform, fewest: 1, most: 1,
			fields: []string{"Columns"}, emit: emitDropDuplicates, columns: distinctColumns,
		},
		"DropNullFields": {
			label: "Drop Null Fields", role: transform, fewest: 1, most: 1,
			fields: []string{"NullCheckBoxList", "NullTextList"}, emit: emitDropNullFields, columns: unknownColumns,
		},
		"SplitFields": {
			label: "Split Fields", role: transform, fewest: 1, most: 1,
			fields: []string{"Paths"}, emit: emitSplitFields, columns: splitColumns,
			outputs: splitOutputs,
		},
		"Join": {
			label: "Join", role: transform, fewest: 2, most: 2,
			fields: []string{"Columns", "JoinType"}, emit: emitJoin, columns: joinedColumns,
		},
		"Union": {
			label: "Union", role: transform, fewest: 2, most: 2,
			fields: []string{"UnionType"}, emit: emitUnion, columns: unitedColumns,
		},
		"Aggregate": {
			label: "Aggregate", role: transform, fewest: 1, most: 1,
			fields: []string{"Groups", "Aggs"}, emit: emitAggregate, columns: aggregatedColumns,
		},
		"SparkSQL": {
			label: "SQL Query", role: transform, fewest: 1, most: many,
			fields: []string{"SqlQuery", "SqlAliases", outputOnly}, emit: emitSparkSQL, columns: declaredColumns,
		},
		"CustomCode": {
			label: "Custom Transform", role: transform, fewest: 1, most: many,
			fields: []string{"Code", "ClassName", outputOnly}, emit: emitCustomCode, columns: unknownColumns,
			outputs: anyOutputs,
		},
		"EvaluateDataQualityMultiFrame": {
			label: "Evaluate Data Quality", role: transform, fewest: 1, most: many,
			fields: []string{"Ruleset", "AdditionalDataSources", "AdditionalOptions", "PublishingOptions", "StopJobOnFailureOptions"},
			emit:   emitDataQuality, columns: judgedColumns,
			outputs: qualityOutputs,
		},
		"SelectFromCollection": {
			label: "Select From Collection", role: transform, fewest: 1, most: 1,
			fields: []string{"Index"}, emit: emitSelectFromCollection, columns: takenColumns,
		},
		"Route": {
			label: "Conditional Router", role: transform, fewest: 1, most: 1,
			fields: []string{"GroupFiltersList"}, emit: emitRoute, columns: routedColumns,
			outputs: routeOutputs,
		},
		"S3DirectTarget": {
			label: "Amazon S3", role: target, fewest: 1, most: 1,
			fields: []string{"Path", "Format", "Compression", "PartitionKeys", "SchemaChangePolicy", outputOnly},
			emit:   emitS3DirectTarget, columns: writtenColumns,
		},
		"S3GlueParquetTarget": {
			label: "Amazon S3, Parquet", role: target, fewest: 1, most: 1,
			fields: []string{"Path", "Compression", "PartitionKeys", "SchemaChangePolicy"},
			emit:   emitS3GlueParquetTarget, columns: writtenColumns,
		},
		"S3CatalogTarget": {
			label: "AWS Glue Data Catalog", role: target, fewest: 1, most: 1,
			fields: []string{"Database", "Table", "PartitionKeys", "SchemaChangePolicy"},
			emit:   emitS3CatalogTarget, columns: writtenColumns,
		},
		"CatalogTarget": {
			label: "AWS Glue Data Catalog", role: target, fewest: 1, most: 1,
			fields: []string{"Database", "Table", "PartitionKeys"},
			emit:   emitCatalogTarget, columns: writtenColumns,
		},
		"AmazonRedshiftTarget": {
			label: "Amazon Redshift", role: target, fewest: 1, most: 1,
			fields: []string{"Data"}, emit: emitRedshiftTarget, columns: writtenColumns,
		},
	}
}
