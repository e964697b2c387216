package visual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// schema is what is known of the columns of a frame: all of them, or nothing.
type schema struct {
	known   bool
	columns []string
}

func columnsOf(names ...string) schema { return schema{true, names} }

// lacks tells whether a frame certainly has no such column. Names are compared as Spark does, without
// case.
func (s schema) lacks(name string) bool {
	return s.known && !slices.ContainsFunc(s.columns, func(column string) bool { return strings.EqualFold(column, name) })
}

// want gives an error for the first of the columns that the frame lacks.
func (s schema) want(names ...string) error {
	for _, name := range names {
		if s.lacks(name) {
			return fmt.Errorf("column %q is not among those of the input: %s", name, strings.Join(s.columns, ", "))
		}
	}
	return nil
}

// wantAsWritten is want for the transforms of DynamicFrames: these tell upper case from lower case, and
// pass over a name that they do not find.
func (s schema) wantAsWritten(names ...string) error {
	for _, name := range names {
		at := slices.IndexFunc(s.columns, func(column string) bool { return strings.EqualFold(column, name) })
		if s.known && at >= 0 && !slices.Contains(s.columns, name) {
			return fmt.Errorf("column %q is %q in the input: here the case counts", name, s.columns[at])
		}
	}
	return s.want(names...)
}

// without gives the schema less some columns.
func (s schema) without(names ...string) schema {
	kept := slices.DeleteFunc(slices.Clone(s.columns), func(column string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, column) })
	})
	return schema{s.known, kept}
}

// tops are the columns that paths lead into.
func tops(paths [][]string) []string {
	var names []string
	for _, path := range paths {
		if len(path) > 0 && !slices.Contains(names, path[0]) {
			names = append(names, strings.Trim(path[0], "`"))
		}
	}
	return names
}

func unknownColumns(*DAG, *Node, []schema) (schema, error) { return schema{}, nil }

// declaredColumns knows what OutputSchemas says, if it says anything.
func declaredColumns(_ *DAG, node *Node, _ []schema) (schema, error) {
	var declared []types.GlueSchema
	switch body := node.Body.(type) {
	case *types.CatalogSource:
		declared = body.OutputSchemas
	case *types.S3CsvSource:
		declared = body.OutputSchemas
	case *types.S3JsonSource:
		declared = body.OutputSchemas
	case *types.S3ParquetSource:
		declared = body.OutputSchemas
	case *types.SparkSQL:
		declared = body.OutputSchemas
	}
	if len(declared) == 0 || len(declared[0].Columns) == 0 {
		return schema{}, nil
	}
	output := schema{known: true}
	for _, column := range declared[0].Columns {
		output.columns = append(output.columns, text(column.Name))
	}
	return output, nil
}

func mappedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	output := schema{known: true}
	for i, mapping := range node.Body.(*types.ApplyMapping).Mapping {
		if isTrue(mapping.Dropped) {
			continue
		}
		if err := inputs[0].want(tops([][]string{mapping.FromPath})...); err != nil {
			return schema{}, fieldError{fmt.Sprintf("Mapping[%d].FromPath", i), err}
		}
		name := text(mapping.ToKey)
		if !output.lacks(name) {
			return schema{}, fieldError{fmt.Sprintf("Mapping[%d].ToKey", i), fmt.Errorf("column %q is mapped to twice", name)}
		}
		output.columns = append(output.columns, name)
	}
	return output, nil
}

// fieldError is an error about a member of a node.
type fieldError struct {
	path string
	err  error
}

func (e fieldError) Error() string { return e.err.Error() }

func selectedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	names := tops(node.Body.(*types.SelectFields).Paths)
	if err := inputs[0].wantAsWritten(names...); err != nil {
		return schema{}, fieldError{"Paths", err}
	}
	return columnsOf(names...), nil
}

func keptColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	paths := node.Body.(*types.DropFields).Paths
	if err := inputs[0].wantAsWritten(tops(paths)...); err != nil {
		return schema{}, fieldError{"Paths", err}
	}
	whole := slices.DeleteFunc(slices.Clone(paths), func(path []string) bool { return len(path) > 1 })
	return inputs[0].without(tops(whole)...), nil
}

func renamedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	body := node.Body.(*types.RenameField)
	from, to := tops([][]string{body.SourcePath}), tops([][]string{body.TargetPath})
	if err := inputs[0].wantAsWritten(from...); err != nil {
		return schema{}, fieldError{"SourcePath", err}
	}
	if len(body.SourcePath) != 1 || len(body.TargetPath) != 1 {
		return inputs[0], nil
	}
	output := inputs[0].without(from...)
	if output.known && !output.lacks(to[0]) {
		return schema{}, fieldError{"TargetPath", fmt.Errorf("the input has a column %q already", to[0])}
	}
	output.columns = append(output.columns, to...)
	return output, nil
}

func filteredColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	return inputs[0], wantFiltered("Filters", node.Body.(*types.Filter).Filters, inputs[0])
}

func wantFiltered(path string, filters []types.FilterExpression, input schema) error {
	for i, filter := range filters {
		for j, value := range filter.Values {
			if value.Type != types.FilterValueTypeColumnextracted {
				continue
			}
			if err := input.wantAsWritten(tops([][]string{value.Value})...); err != nil {
				return fieldError{fmt.Sprintf("%s[%d].Values[%d]", path, i, j), err}
			}
		}
	}
	return nil
}

func routedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	for i, group := range node.Body.(*types.Route).GroupFiltersList {
		if err := wantFiltered(fmt.Sprintf("GroupFiltersList[%d].Filters", i), group.Filters, inputs[0]); err != nil {
			return schema{}, err
		}
	}
	return inputs[0], nil
}

func distinctColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	if err := inputs[0].want(tops(node.Body.(*types.DropDuplicates).Columns)...); err != nil {
		return schema{}, fieldError{"Columns", err}
	}
	return inputs[0], nil
}

// splitColumns knows the columns of both parts together; takenColumns tells them apart.
func splitColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	if err := inputs[0].wantAsWritten(tops(node.Body.(*types.SplitFields).Paths)...); err != nil {
		return schema{}, fieldError{"Paths", err}
	}
	return inputs[0], nil
}

func takenColumns(d *DAG, node *Node, inputs []schema) (schema, error) {
	parent := d.node(node.Inputs[0])
	index := node.Body.(*types.SelectFromCollection).Index
	switch body := parent.Body.(type) {
	case *types.SplitFields:
		if index == 0 {
			return columnsOf(tops(body.Paths)...), nil
		}
		return inputs[0].without(tops(body.Paths)...), nil
	case *types.EvaluateDataQualityMultiFrame:
		return judged(qualityOutputs(parent)[index], inputs[0]), nil
	case *types.CustomCode:
		return schema{}, nil
	default:
		return inputs[0], nil
	}
}

// judged are the columns of a frame of an evaluation.
// https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html
func judged(frame string, input schema) schema {
	switch frame {
	case "ruleOutcomes":
		return columnsOf("Rule", "Outcome", "FailureReason", "EvaluatedMetrics", "EvaluatedRule")
	case "rowLevelOutcomes":
		added := []string{"DataQualityRulesPass", "DataQualityRulesFail", "DataQualityRulesSkip", "DataQualityEvaluationResult"}
		return schema{input.known, slices.Concat(input.columns, added)}
	default:
		return input
	}
}

func judgedColumns(_ *DAG, _ *Node, inputs []schema) (schema, error) { return inputs[0], nil }

func joinedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	body := node.Body.(*types.Join)
	for i, id := range node.Inputs {
		if err := inputs[i].want(tops(joinKeys(body, id))...); err != nil {
			return schema{}, fieldError{"Columns", fmt.Errorf("keys of %s: %w", id, err)}
		}
	}
	if body.JoinType == types.JoinTypeLeftSemi || body.JoinType == types.JoinTypeLeftAnti {
		return inputs[0], nil
	}
	if !inputs[0].known || !inputs[1].known {
		return schema{}, nil
	}
	for _, name := range inputs[1].columns {
		if !inputs[0].lacks(name) {
			return schema{}, fieldError{"Columns", fmt.Errorf("both inputs have a column %q; rename one of them before (a node of type RenameField or ApplyMapping)", name)}
		}
	}
	return columnsOf(slices.Concat(inputs[0].columns, inputs[1].columns)...), nil
}

// unitedColumns: a union goes by position, and takes the names of the first input.
func unitedColumns(_ *DAG, _ *Node, inputs []schema) (schema, error) {
	if !inputs[0].known || !inputs[1].known {
		return inputs[0], nil
	}
	first, second := inputs[0].columns, inputs[1].columns
	if !slices.EqualFunc(first, second, strings.EqualFold) {
		return schema{}, fieldError{"Inputs", fmt.Errorf("a union goes by position, but the inputs have the columns %s and %s",
			strings.Join(first, ", "), strings.Join(second, ", "))}
	}
	return inputs[0], nil
}

// aggregatedColumns: Spark names an aggregate after its function and column.
func aggregatedColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	body := node.Body.(*types.Aggregate)
	if err := inputs[0].want(tops(body.Groups)...); err != nil {
		return schema{}, fieldError{"Groups", err}
	}
	output := columnsOf(tops(body.Groups)...)
	for i, operation := range body.Aggs {
		if err := inputs[0].want(tops([][]string{operation.Column})...); err != nil {
			return schema{}, fieldError{fmt.Sprintf("Aggs[%d].Column", i), err}
		}
		name := string(operation.AggFunc)
		if name == "countDistinct" || name == "sumDistinct" {
			name = strings.TrimSuffix(name, "Distinct")
			output.known = false // Its name differs between Spark's versions.
		}
		output.columns = append(output.columns, name+"("+strings.Join(operation.Column, ".")+")")
	}
	return output, nil
}

// writtenColumns checks the columns that a target partitions by or has statements about.
func writtenColumns(_ *DAG, node *Node, inputs []schema) (schema, error) {
	var keys [][]string
	switch body := node.Body.(type) {
	case *types.S3DirectTarget:
		keys = body.PartitionKeys
	case *types.S3GlueParquetTarget:
		keys = body.PartitionKeys
	case *types.S3CatalogTarget:
		keys = body.PartitionKeys
	case *types.BasicCatalogTarget:
		keys = body.PartitionKeys
	case *types.AmazonRedshiftTarget:
		for i, column := range body.Data.TableSchema {
			if err := inputs[0].want(text(column.Value)); err != nil {
				return schema{}, fieldError{fmt.Sprintf("Data.TableSchema[%d]", i), err}
			}
		}
	}
	if err := inputs[0].want(tops(keys)...); err != nil {
		return schema{}, fieldError{"PartitionKeys", err}
	}
	return inputs[0], nil
}
