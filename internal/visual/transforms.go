package visual

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func emitApplyMapping(s *script, node *Node) {
	lines := rows()
	for _, mapping := range flatMapping(node.Body.(*types.ApplyMapping).Mapping, nil) {
		line := list(raw(quote(mapping.from)), raw(quote(mapping.fromType)), raw(quote(mapping.to)), raw(quote(mapping.toType)))
		line.open, line.end = "(", ")"
		lines.items = append(lines.items, item{value: line})
	}
	s.assign(node, call("ApplyMapping.apply", argument("frame", s.input(node, 0)), argument("mappings", lines), context(node)))
}

// mapped is one line of a mapping, children's included.
type mapped struct{ from, fromType, to, toType string }

// flatMapping gives the lines that are not dropped. The children of a nested field are lines of their
// own, under the field's names.
func flatMapping(mappings []types.Mapping, above []string) []mapped {
	var lines []mapped
	for _, mapping := range mappings {
		if mapping.Dropped != nil && *mapping.Dropped {
			continue
		}
		if len(mapping.Children) > 0 {
			lines = append(lines, flatMapping(mapping.Children, append(slices.Clone(above), text(mapping.ToKey)))...)
			continue
		}
		to := append(slices.Clone(above), text(mapping.ToKey))
		lines = append(lines, mapped{column(mapping.FromPath), text(mapping.FromType), column(to), text(mapping.ToType)})
	}
	return lines
}

// text is the text of a member that may be missing.
func text(member *string) string {
	if member == nil {
		return ""
	}
	return *member
}

func emitSelectFields(s *script, node *Node) {
	paths := node.Body.(*types.SelectFields).Paths
	s.assign(node, call("SelectFields.apply", argument("frame", s.input(node, 0)), argument("paths", s.paths(paths)), context(node)))
}

func emitDropFields(s *script, node *Node) {
	paths := node.Body.(*types.DropFields).Paths
	s.assign(node, call("DropFields.apply", argument("frame", s.input(node, 0)), argument("paths", s.paths(paths)), context(node)))
}

func emitRenameField(s *script, node *Node) {
	body := node.Body.(*types.RenameField)
	s.assign(node, call("RenameField.apply",
		argument("frame", s.input(node, 0)),
		argument("old_name", raw(quote(column(body.SourcePath)))),
		argument("new_name", raw(quote(column(body.TargetPath)))),
		context(node)))
}

func emitFilter(s *script, node *Node) {
	body := node.Body.(*types.Filter)
	s.assign(node, call("Filter.apply",
		argument("frame", s.input(node, 0)),
		argument("f", s.condition(body.Filters, body.LogicalOperator)),
		context(node)))
}

// condition is a lambda over a row: parts joined by "and" or "or".
type condition struct {
	parts    []string
	operator string
}

func (c condition) flat() string {
	return "lambda row: (" + strings.Join(c.parts, " "+c.operator+" ") + ")"
}

func (c condition) broken(indent int) string {
	inner := "\n" + strings.Repeat(" ", indent+4)
	return "lambda row: (" + inner + strings.Join(c.parts, inner+c.operator+" ") + "\n" + strings.Repeat(" ", indent) + ")"
}

func (s *script) condition(filters []types.FilterExpression, operator types.FilterLogicalOperator) condition {
	result := condition{operator: strings.ToLower(string(operator))}
	for _, filter := range filters {
		result.parts = append(result.parts, s.filter(filter))
	}
	return result
}

var comparisons = map[types.FilterOperation]string{
	types.FilterOperationEq: "==", types.FilterOperationLt: "<", types.FilterOperationGt: ">",
	types.FilterOperationLte: "<=", types.FilterOperationGte: ">=",
}

// filter writes one comparison as Glue Studio does: numbers bare, a pattern as a match at the beginning.
func (s *script) filter(filter types.FilterExpression) string {
	var operands []string
	for _, value := range filter.Values {
		operands = append(operands, s.operand(value, filter.Operation))
	}
	var written string
	switch filter.Operation {
	case types.FilterOperationIsnull:
		written = operands[0] + " is None"
	case types.FilterOperationRegex:
		s.need(importRE)
		written = "bool(re.match(" + operands[1] + ", " + operands[0] + "))"
	default:
		written = operands[0] + " " + comparisons[filter.Operation] + " " + operands[1]
	}
	if filter.Negated != nil && *filter.Negated {
		return "not (" + written + ")"
	}
	return written
}

func (s *script) operand(value types.FilterValue, operation types.FilterOperation) string {
	if value.Type == types.FilterValueTypeColumnextracted {
		written := "row"
		for _, name := range value.Value {
			written += "[" + quote(name) + "]"
		}
		return written
	}
	constant := strings.Join(value.Value, ",")
	if operation != types.FilterOperationRegex && isNumber(constant) {
		return constant
	}
	return string(s.value(constant))
}

func emitDropDuplicates(s *script, node *Node) {
	s.need(importFrame)
	by := ""
	if columns := node.Body.(*types.DropDuplicates).Columns; len(columns) > 0 {
		by = s.names(columns).flat() // DataFrames take names there, not paths.
	}
	distinct := string(s.input(node, 0)) + ".toDF().dropDuplicates(" + by + ")"
	s.assign(node, fromDF(node, distinct))
}

// fromDF makes a DynamicFrame of a DataFrame.
func fromDF(node *Node, frame string) bracketed {
	made := call("DynamicFrame.fromDF",
		item{value: raw(frame)}, item{value: raw("glueContext")}, item{value: raw(quote(node.variable()))})
	made.exploded = false
	return made
}

func emitDropNullFields(s *script, node *Node) {
	s.helpers["drop_nulls"] = true
	body := node.Body.(*types.DropNullFields)
	var texts, numbers []expression
	if boxes := body.NullCheckBoxList; boxes != nil {
		if isTrue(boxes.IsEmpty) {
			texts = append(texts, raw(quote("")))
		}
		if isTrue(boxes.IsNullString) {
			texts = append(texts, raw(quote("null")))
		}
		if isTrue(boxes.IsNegOne) {
			numbers = append(numbers, raw("-1"))
		}
	}
	for _, value := range body.NullTextList {
		if isTextType(value) {
			texts = append(texts, s.value(*value.Value))
		} else {
			numbers = append(numbers, raw(*value.Value))
		}
	}
	s.assign(node, call("drop_nulls",
		item{value: raw("glueContext")},
		argument("frame", s.input(node, 0)),
		argument("nullStringSet", set(texts)),
		argument("nullIntegerSet", set(numbers)),
		context(node)))
}

func isTrue(member *bool) bool { return member != nil && *member }

// isTextType tells whether a custom null value is a text: its data type is, or it is no number.
func isTextType(value types.NullValueField) bool {
	return value.Datatype != nil && strings.EqualFold(text(value.Datatype.Id), "string") || !isNumber(*value.Value)
}

// set is `{}` if empty, as in the scripts of Glue Studio: nothing but membership is asked of it.
func set(values []expression) bracketed {
	written := list(values...)
	written.open, written.end = "{", "}"
	return written
}

func emitSplitFields(s *script, node *Node) {
	paths := node.Body.(*types.SplitFields).Paths
	name := node.variable()
	s.assign(node, call("SplitFields.apply",
		argument("frame", s.input(node, 0)),
		argument("paths", s.paths(paths)),
		argument("name1", raw(quote(name+"0"))),
		argument("name2", raw(quote(name+"1"))),
		context(node)))
}

func splitOutputs(node *Node) []string { return []string{node.variable() + "0", node.variable() + "1"} }

func emitJoin(s *script, node *Node) {
	body := node.Body.(*types.Join)
	left, right := joinKeys(body, node.Inputs[0]), joinKeys(body, node.Inputs[1])
	if body.JoinType == types.JoinTypeEquijoin {
		s.assign(node, call("Join.apply",
			argument("frame1", s.input(node, 0)),
			argument("frame2", s.input(node, 1)),
			argument("keys1", s.paths(left)),
			argument("keys2", s.paths(right)),
			context(node)))
		return
	}
	s.need(importFrame)
	s.comment(node)
	first, second := string(s.input(node, 0))+"DF", string(s.input(node, 1))+"DF"
	s.statement(first+" = ", s.input(node, 0)+".toDF()")
	s.statement(second+" = ", s.input(node, 1)+".toDF()")
	var equal []string
	for i := range left {
		equal = append(equal, fmt.Sprintf("(%s[%s] == %s[%s])", first, quote(column(left[i])), second, quote(column(right[i]))))
	}
	by := strings.Join(equal, " & ")
	joined := call(first+".join", item{value: raw(second)}, item{value: raw(by)}, item{value: raw(quote(string(body.JoinType)))})
	joined.exploded = false
	made := fromDF(node, "")
	made.items[0].value = joined
	s.statement(node.variable()+" = ", made)
}

// joinKeys are the columns by which an input is joined.
func joinKeys(join *types.Join, input string) [][]string {
	for _, column := range join.Columns {
		if text(column.From) == input {
			return column.Keys
		}
	}
	return nil
}

func emitUnion(s *script, node *Node) {
	s.helpers["sparkUnion"] = true
	s.assign(node, call("sparkUnion",
		item{value: raw("glueContext")},
		argument("unionType", raw(quote(string(node.Body.(*types.Union).UnionType)))),
		argument("mapping", dict(entry("source1", s.input(node, 0)), entry("source2", s.input(node, 1)))),
		context(node)))
}

func emitAggregate(s *script, node *Node) {
	s.helpers["sparkAggregate"] = true
	body := node.Body.(*types.Aggregate)
	aggregations := list()
	for _, operation := range body.Aggs {
		pair := list(raw(quote(column(operation.Column))), raw(quote(string(operation.AggFunc))))
		aggregations.items = append(aggregations.items, item{value: pair})
	}
	s.assign(node, call("sparkAggregate",
		item{value: raw("glueContext")},
		argument("parentFrame", s.input(node, 0)),
		argument("groups", s.paths(body.Groups)),
		argument("aggs", aggregations),
		context(node)))
}

func emitSparkSQL(s *script, node *Node) {
	s.helpers["sparkSqlQuery"] = true
	body := node.Body.(*types.SparkSQL)
	name := "SqlQuery" + strings.TrimPrefix(node.suffix(), "node")
	var aliases []item
	for _, alias := range body.SqlAliases {
		aliases = append(aliases, entry(text(alias.Alias), raw(s.dag.node(text(alias.From)).variable())))
	}
	s.comment(node)
	s.statement(name+" = ", raw(s.block(*body.SqlQuery)))
	s.statement(node.variable()+" = ", call("sparkSqlQuery",
		item{value: raw("glueContext")},
		argument("query", raw(name)),
		argument("mapping", dict(aliases...)),
		context(node)))
}

// emitCustomCode makes a function of the code: the code is its body.
func emitCustomCode(s *script, node *Node) {
	s.need(importCollection, importFrame)
	body := node.Body.(*types.CustomCode)
	code := *body.Code
	if name, ok := includedFile(code); ok {
		code = s.dag.included[name]
	}
	if s.functions.Len() > 0 {
		s.functions.WriteString("\n\n")
	}
	fmt.Fprintf(&s.functions, "# Script generated for node %s\ndef %s(glueContext, dfc) -> DynamicFrameCollection:\n%s\n",
		oneLine(node.Name), *body.ClassName, indented(code))
	var frames []item
	for i := range node.Inputs {
		frames = append(frames, entry(string(s.input(node, i)), s.input(node, i)))
	}
	collection := call("DynamicFrameCollection", item{value: dict(frames...)}, item{value: raw("glueContext")})
	collection.exploded = false
	made := call(*body.ClassName, item{value: raw("glueContext")}, item{value: collection})
	made.exploded = false
	s.assign(node, made)
}

// indented puts code into a function. Lines of a text over several lines move as well, as they do in
// Glue Studio.
func indented(code string) string {
	lines := strings.Split(strings.Trim(code, "\n"), "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			lines[i] = ""
		} else {
			lines[i] = "    " + strings.TrimRight(line, " \t\r")
		}
	}
	return strings.Join(lines, "\n")
}

// anyOutputs says that there is a collection, whose keys only the code knows.
func anyOutputs(*Node) []string { return []string{} }

func emitRoute(s *script, node *Node) {
	s.helpers["threadedRoute"] = true
	groups := rows()
	rest := condition{operator: "and"}
	add := func(name string, filters condition) {
		group := call("GroupFilter", argument("name", raw(quote(name))), argument("filters", filters))
		group.exploded = false
		groups.items = append(groups.items, item{value: group})
	}
	for _, group := range node.Body.(*types.Route).GroupFiltersList {
		filters := s.condition(group.Filters, group.LogicalOperator)
		add(text(group.GroupName), filters)
		rest.parts = append(rest.parts, "not ("+strings.Join(filters.parts, " "+filters.operator+" ")+")")
	}
	add(defaultGroup, rest)
	s.assign(node, call("threadedRoute",
		item{value: raw("glueContext")},
		argument("source_DyF", s.input(node, 0)),
		argument("group_filters", groups)))
}

// defaultGroup has the rows that are in no group of a router.
const defaultGroup = "default_group"

func routeOutputs(node *Node) []string {
	var names []string
	for _, group := range node.Body.(*types.Route).GroupFiltersList {
		names = append(names, text(group.GroupName))
	}
	return append(names, defaultGroup)
}

// qualityOutputs are the frames of an evaluation, in the order that Index counts.
func qualityOutputs(*Node) []string {
	return []string{"ruleOutcomes", "rowLevelOutcomes", "originalData"}
}

func emitDataQuality(s *script, node *Node) {
	s.need("from awsgluedq.transforms import EvaluateDataQuality")
	body := node.Body.(*types.EvaluateDataQualityMultiFrame)
	name := node.variable()
	s.comment(node)
	s.statement(name+"_ruleset = ", raw(s.block(*body.Ruleset)))
	arguments := []item{argument("frame", s.input(node, 0))}
	if len(body.AdditionalDataSources) > 0 {
		var sources []item
		for _, alias := range sortedKeys(body.AdditionalDataSources) {
			sources = append(sources, entry(alias, raw(s.dag.node(body.AdditionalDataSources[alias]).variable())))
		}
		arguments = append(arguments, argument("additional_data_sources", dict(sources...)))
	}
	arguments = append(arguments, argument("ruleset", raw(name+"_ruleset")))
	if options := s.publishing(body.PublishingOptions); len(options) > 0 {
		written := dict(options...)
		written.exploded = true
		arguments = append(arguments, argument("publishing_options", written))
	}
	var options []item
	for _, key := range sortedKeys(body.AdditionalOptions) {
		options = append(options, entry(key, s.value(body.AdditionalOptions[key])))
	}
	if len(options) > 0 {
		arguments = append(arguments, argument("additional_options", dict(options...)))
	}
	s.statement(name+" = ", call("EvaluateDataQuality().process_rows", arguments...))
	s.stop(node, body.StopJobOnFailureOptions)
}

func (s *script) publishing(publishing *types.DQResultsPublishingOptions) []item {
	if publishing == nil {
		return nil
	}
	var options []item
	if context, ok := s.optional(publishing.EvaluationContext); ok {
		options = append(options, entry("dataQualityEvaluationContext", context))
	}
	options = append(options, switched("enableDataQualityCloudWatchMetrics", publishing.CloudWatchMetricsEnabled)...)
	options = append(options, switched("enableDataQualityResultsPublishing", publishing.ResultsPublishingEnabled)...)
	if prefix, ok := s.optional(publishing.ResultsS3Prefix); ok {
		options = append(options, entry("resultsS3Prefix", prefix))
	}
	return options
}

// stop ends the job when a rule failed: at once, or once all targets are written.
func (s *script) stop(node *Node, options *types.DQStopJobOnFailureOptions) {
	if options == nil {
		return
	}
	out := &s.last
	if options.StopJobOnFailureTiming != types.DQStopJobOnFailureTimingAfterDataLoad {
		out = &s.body
	}
	fmt.Fprintf(out, "\nassert (\n    %s[EvaluateDataQuality.DATA_QUALITY_RULE_OUTCOMES_KEY]\n"+
		"    .filter(lambda x: x[\"Outcome\"] == \"Failed\")\n    .count()\n    == 0\n), %s\n",
		node.variable(), quote("The job failed due to failing DQ rules for node: "+node.Name))
}

// emitSelectFromCollection takes a frame by its key where the DAG tells it, else by its place.
func emitSelectFromCollection(s *script, node *Node) {
	index := int(node.Body.(*types.SelectFromCollection).Index)
	parent := s.dag.node(node.Inputs[0])
	key := fmt.Sprintf("list(%s.keys())[%d]", parent.variable(), index)
	if names := parent.kind.outputs(parent); index < len(names) && parent.Type != "SplitFields" {
		key = quote(names[index])
	}
	s.assign(node, call("SelectFromCollection.apply",
		argument("dfc", raw(parent.variable())),
		argument("key", raw(key)),
		context(node)))
}

// required tells which members of a body that scripts are made from are missing, beyond those that the
// service requires.
func missing(body any, path string) bool {
	value := reflect.ValueOf(body).Elem()
	for _, name := range strings.Split(path, ".") {
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				return true
			}
			value = value.Elem()
		}
		value = value.FieldByName(name)
	}
	return value.IsZero()
}
