package visual

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func emitS3DirectTarget(s *script, node *Node) {
	body := node.Body.(*types.S3DirectTarget)
	compression := ""
	if body.Compression != nil {
		compression = *body.Compression
	}
	if updatesCatalog(body.SchemaChangePolicy) {
		s.sink(node, *body.Path, string(body.Format), compression, body.PartitionKeys, body.SchemaChangePolicy)
		return
	}
	options := []item{entry("path", s.value(*body.Path))}
	if isCompressed(compression) {
		options = append(options, entry("compression", s.value(compression)))
	}
	options = append(options, entry("partitionKeys", s.names(body.PartitionKeys)))
	connection := dict(options...)
	connection.exploded = true
	s.assign(node, call("glueContext.write_dynamic_frame.from_options",
		argument("frame", s.input(node, 0)),
		argument("connection_type", raw(quote("s3"))),
		argument("format", raw(quote(string(body.Format)))),
		argument("connection_options", connection),
		context(node)))
}

func emitS3GlueParquetTarget(s *script, node *Node) {
	body := node.Body.(*types.S3GlueParquetTarget)
	compression := string(body.Compression)
	if updatesCatalog(body.SchemaChangePolicy) {
		s.sink(node, *body.Path, "glueparquet", compression, body.PartitionKeys, body.SchemaChangePolicy)
		return
	}
	connection := dict(entry("path", s.value(*body.Path)), entry("partitionKeys", s.names(body.PartitionKeys)))
	connection.exploded = true
	arguments := []item{
		argument("frame", s.input(node, 0)),
		argument("connection_type", raw(quote("s3"))),
		argument("format", raw(quote("glueparquet"))),
		argument("connection_options", connection),
	}
	if compression != "" {
		arguments = append(arguments, argument("format_options", dict(entry("compression", raw(quote(compression))))))
	}
	s.assign(node, call("glueContext.write_dynamic_frame.from_options", append(arguments, context(node))...))
}

func isCompressed(compression string) bool {
	return compression != "" && compression != "none" && compression != "uncompressed"
}

func updatesCatalog(policy *types.DirectSchemaChangePolicy) bool {
	return policy != nil && policy.EnableUpdateCatalog != nil && *policy.EnableUpdateCatalog
}

// sink writes files and updates the catalog.
// https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html
func (s *script) sink(node *Node, path, format, compression string, keys [][]string, policy *types.DirectSchemaChangePolicy) {
	s.assign(node, call("glueContext.getSink",
		argument("path", s.value(path)),
		argument("connection_type", raw(quote("s3"))),
		argument("updateBehavior", raw(quote(string(updateBehavior(policy.UpdateBehavior))))),
		argument("partitionKeys", s.names(keys)),
		argument("enableUpdateCatalog", boolean(true)),
		context(node)))
	name := node.variable()
	catalog := call(name+".setCatalogInfo",
		argument("catalogDatabase", s.value(*policy.Database)), argument("catalogTableName", s.value(*policy.Table)))
	catalog.exploded = false
	s.statement("", catalog)
	options := []item{{value: raw(quote(format))}}
	if isCompressed(compression) {
		options = append(options, argument("compression", s.value(compression)))
	}
	written := bracketed{open: name + ".setFormat(", end: ")", items: options}
	s.statement("", written)
	s.statement("", raw(name+".writeFrame("+string(s.input(node, 0))+")"))
}

func updateBehavior(behavior types.UpdateCatalogBehavior) types.UpdateCatalogBehavior {
	if behavior == "" {
		return types.UpdateCatalogBehaviorUpdateInDatabase
	}
	return behavior
}

func emitS3CatalogTarget(s *script, node *Node) {
	body := node.Body.(*types.S3CatalogTarget)
	var options []item
	if policy := body.SchemaChangePolicy; policy != nil && policy.EnableUpdateCatalog != nil && *policy.EnableUpdateCatalog {
		options = append(options, entry("enableUpdateCatalog", boolean(true)),
			entry("updateBehavior", raw(quote(string(updateBehavior(policy.UpdateBehavior))))))
	}
	s.toCatalog(node, *body.Database, *body.Table, body.PartitionKeys, options)
}

func emitCatalogTarget(s *script, node *Node) {
	body := node.Body.(*types.BasicCatalogTarget)
	s.toCatalog(node, *body.Database, *body.Table, body.PartitionKeys, nil)
}

func (s *script) toCatalog(node *Node, database, table string, keys [][]string, options []item) {
	if len(keys) > 0 {
		options = append(options, entry("partitionKeys", s.names(keys)))
	}
	arguments := []item{
		argument("frame", s.input(node, 0)),
		argument("database", s.value(database)),
		argument("table_name", s.value(table)),
	}
	if len(options) > 0 {
		arguments = append(arguments, argument("additional_options", dict(options...)))
	}
	s.assign(node, call("glueContext.write_dynamic_frame.from_catalog", append(arguments, context(node))...))
}

func emitRedshiftTarget(s *script, node *Node) {
	data := node.Body.(*types.AmazonRedshiftTarget).Data
	load := newRedshiftLoad(data)
	var options []item
	if load.after != "" {
		options = append(options, entry("postactions", s.value(load.after)))
	}
	if directory, ok := s.optional(data.TempDir); ok {
		options = append(options, entry("redshiftTmpDir", directory))
	}
	options = append(options,
		entry("useConnectionProperties", raw(quote("true"))),
		entry("dbtable", s.value(load.table)),
		entry("connectionName", s.value(*data.Connection.Value)))
	if data.IamRole != nil && data.IamRole.Value != nil {
		options = append(options, entry("aws_iam_role", s.value(*data.IamRole.Value)))
	}
	for _, option := range data.AdvancedOptions {
		options = append(options, entry(*option.Key, s.value(*option.Value)))
	}
	if load.before != "" {
		options = append(options, entry("preactions", s.value(load.before)))
	}
	connection := dict(options...)
	connection.exploded = true
	s.assign(node, call("glueContext.write_dynamic_frame.from_options",
		argument("frame", s.input(node, 0)),
		argument("connection_type", raw(quote("redshift"))),
		argument("connection_options", connection),
		context(node)))
}

// redshiftLoad is what Glue does around the COPY into a table: statements before it and after it.
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html
type redshiftLoad struct{ table, before, after string }

// newRedshiftLoad takes the statements that the node has (Glue Studio keeps them as PreAction and
// PostAction), and makes those that it does not have from the action and the table's columns.
func newRedshiftLoad(data *types.AmazonRedshiftNodeData) redshiftLoad {
	schema, table := *data.Schema.Value, *data.Table.Value
	load := redshiftLoad{table: schema + "." + table}
	var columns []string
	for _, column := range data.TableSchema {
		columns = append(columns, *column.Value+" "+*column.Label)
	}
	create := func(table string) string { return table + " (" + strings.Join(columns, ", ") + ");" }
	target := load.table
	if len(columns) > 0 {
		load.before = "CREATE TABLE IF NOT EXISTS " + create(target)
	}
	switch redshiftAction(data) {
	case "truncate":
		load.before = strings.TrimSpace(load.before + " TRUNCATE TABLE " + target + ";")
	case "drop":
		load.before = "DROP TABLE IF EXISTS " + target + "; CREATE TABLE " + create(target)
	case "merge":
		staging := stagingTable(data)
		load.table = staging
		load.before += " DROP TABLE IF EXISTS " + staging + "; CREATE TABLE " + create(staging)
		load.after = "BEGIN; " + mergeStatement(data, target, staging) + " DROP TABLE " + staging + "; END;"
	}
	if data.PreAction != nil {
		load.before = *data.PreAction
	}
	if data.PostAction != nil {
		load.after = *data.PostAction
	}
	return load
}

// redshiftAction is how a target writes: append, truncate, drop or merge.
func redshiftAction(data *types.AmazonRedshiftNodeData) string {
	switch {
	case data.Action != nil && *data.Action != "" && *data.Action != "none":
		return strings.ToLower(*data.Action)
	case data.Upsert:
		return "merge"
	default:
		return "append"
	}
}

func stagingTable(data *types.AmazonRedshiftNodeData) string {
	if data.StagingTable != nil && *data.StagingTable != "" {
		return *data.StagingTable
	}
	return *data.Schema.Value + "." + *data.Table.Value + "_temp"
}

// mergeStatement merges the staged rows into the target by the selected columns, or by the node's own
// clause.
func mergeStatement(data *types.AmazonRedshiftNodeData, target, staging string) string {
	if data.MergeClause != nil && *data.MergeClause != "" {
		return strings.TrimSuffix(strings.TrimSpace(*data.MergeClause), ";") + ";"
	}
	short := func(table string) string { return table[strings.LastIndex(table, ".")+1:] }
	into, from := short(target), short(staging)
	var keys, updates, values []string
	for _, column := range data.SelectedColumns {
		keys = append(keys, into+"."+*column.Value+" = "+from+"."+*column.Value)
	}
	for _, column := range data.TableSchema {
		updates = append(updates, *column.Value+" = "+from+"."+*column.Value)
		values = append(values, from+"."+*column.Value)
	}
	matched := "UPDATE SET " + strings.Join(updates, ", ")
	if data.MergeWhenMatched != nil && strings.EqualFold(*data.MergeWhenMatched, "delete") {
		matched = "DELETE"
	}
	return "MERGE INTO " + target + " USING " + staging + " ON " + strings.Join(keys, " AND ") +
		" WHEN MATCHED THEN " + matched + " WHEN NOT MATCHED THEN INSERT VALUES (" + strings.Join(values, ", ") + ");"
}
