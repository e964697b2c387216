package visual

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// validID is the pattern of NodeId in the service's model; the empty one is of no use.
var validID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// check looks at the nodes as a whole, puts them in order and follows their columns. What makes the
// next look impossible ends it.
func (d *DAG) check(found *Findings) {
	if len(d.Nodes) == 0 {
		found.add(d.File+": ", "there is no node")
		return
	}
	slices.SortFunc(d.Nodes, func(a, b *Node) int { return natural(a.ID, b.ID) })
	d.checkNames(found)
	for _, node := range d.Nodes {
		d.checkBody(found, node)
		d.checkInputs(found, node)
	}
	if len(*found) == 0 {
		d.checkReaders(found)
		d.look(found)
	}
	if len(*found) > 0 {
		return
	}
	ordered, left := sorted(d.Nodes)
	if len(left) > 0 {
		found.add(d.File+": ", "the nodes %s read one another in a circle", strings.Join(ids(left), ", "))
		return
	}
	d.Nodes = ordered
	d.checkColumns(found)
}

func ids(nodes []*Node) []string {
	var names []string
	for _, node := range nodes {
		names = append(names, node.ID)
	}
	return names
}

// checkNames refuses nodes without a name, or with that of another: people tell nodes by name.
func (d *DAG) checkNames(found *Findings) {
	byName, byVariable := map[string]string{}, map[string]string{}
	for _, node := range d.Nodes {
		switch other := byName[node.Name]; {
		case strings.TrimSpace(node.Name) == "":
			found.add(d.nodePlace(node, "Name"), "a node needs a name")
			continue
		case other != "":
			found.add(d.nodePlace(node, "Name"), "node %s has this name as well", other)
		default:
			byName[node.Name] = node.ID
		}
		if other := byVariable[node.suffix()]; other != "" {
			found.add(d.nodePlace(node, ""), "the id differs from %s by - alone, which scripts leave out", other)
		}
		byVariable[node.suffix()] = node.ID
	}
}

// checkInputs looks at the nodes that one reads: their number, that they are there and may be read.
func (d *DAG) checkInputs(found *Findings, node *Node) {
	if count := len(node.Inputs); node.kind.role != source && (count < node.kind.fewest || count > node.kind.most) {
		found.add(d.nodePlace(node, "Inputs"), "a node of type %s reads %s, not %d", node.Type, node.kind.inputs(), count)
	}
	for i, id := range node.Inputs {
		parent := d.node(id)
		place := d.nodePlace(node, fmt.Sprintf("Inputs[%d]", i))
		switch {
		case parent == nil:
			found.add(place, "there is no node %q", id)
		case slices.Index(node.Inputs, id) < i:
			found.add(place, "%s is an input already", id)
		case parent.kind.role == target:
			found.add(place, "%s is a target, of type %s, which gives nothing to read", id, parent.Type)
		case (parent.kind.outputs != nil) != (node.Type == "SelectFromCollection"):
			if parent.kind.outputs != nil {
				found.add(place, "%s, of type %s, gives a collection; take a frame of it with a node of type SelectFromCollection", id, parent.Type)
			} else {
				found.add(place, "%s, of type %s, gives one frame, no collection to select from", id, parent.Type)
			}
		}
	}
}

func (k kind) inputs() string {
	switch {
	case k.most == many:
		return fmt.Sprintf("%d node or more", k.fewest)
	case k.most == 1:
		return "1 node"
	default:
		return fmt.Sprintf("%d nodes", k.most)
	}
}

// checkReaders refuses what nobody reads, but for targets: an orphan. What is read is told by Inputs,
// and by the further sources of an evaluation.
func (d *DAG) checkReaders(found *Findings) {
	read := map[string]bool{}
	for _, node := range d.Nodes {
		for _, id := range node.Inputs {
			read[id] = true
		}
	}
	for _, node := range d.Nodes {
		if node.kind.role == target || read[node.ID] {
			continue
		}
		if node.Type == "EvaluateDataQualityMultiFrame" { // Its result may be all that is asked of it.
			continue
		}
		found.add(d.nodePlace(node, ""), "no node reads this one, so what it does goes nowhere; remove it or read it")
	}
}

// checkBody looks for members that scripts do not heed or cannot do without.
func (d *DAG) checkBody(found *Findings, node *Node) {
	body := reflect.ValueOf(node.Body).Elem()
	for _, name := range fieldNames(body.Type()) {
		if name == "Name" || name == "Inputs" || slices.Contains(node.kind.fields, name) || !isSetToMore(body.FieldByName(name)) {
			continue
		}
		found.add(d.nodePlace(node, name), "scripts do not heed this field of %s, so it must not be set", node.Type)
	}
	for _, name := range needs[node.Type] {
		if missing(node.Body, name) {
			found.add(d.nodePlace(node, name), "missing; a node of type %s needs it", node.Type)
		}
	}
}

// look looks into nodes that have all they need.
func (d *DAG) look(found *Findings) {
	for _, node := range d.Nodes {
		if look := looks[node.Type]; look != nil {
			look(d, found, node)
		}
	}
}

// isSetToMore tells whether a member that scripts do not heed says more than that it is off.
func isSetToMore(member reflect.Value) bool {
	switch {
	case !isSet(member):
		return false
	case member.Type() == reflect.TypeFor[*types.AutoDataQuality]():
		return member.Interface().(*types.AutoDataQuality).IsEnabled
	case member.Type() == reflect.TypeFor[*string]():
		return !slices.Contains([]string{"", "0"}, member.Elem().String())
	default:
		return true
	}
}

// needs are the members without which there is no script. The service requires most of them; that is
// checked against its own model, by the package validate.
var needs = map[string][]string{
	"S3CatalogSource":               {"Database", "Table"},
	"CatalogSource":                 {"Database", "Table"},
	"S3CsvSource":                   {"Paths", "Separator", "QuoteChar"},
	"S3JsonSource":                  {"Paths"},
	"S3ParquetSource":               {"Paths"},
	"ApplyMapping":                  {"Mapping"},
	"SelectFields":                  {"Paths"},
	"RenameField":                   {"SourcePath", "TargetPath"},
	"Filter":                        {"Filters", "LogicalOperator"},
	"SplitFields":                   {"Paths"},
	"Join":                          {"JoinType", "Columns"},
	"Union":                         {"UnionType"},
	"Aggregate":                     {"Aggs"},
	"SparkSQL":                      {"SqlQuery", "SqlAliases"},
	"CustomCode":                    {"Code", "ClassName"},
	"EvaluateDataQualityMultiFrame": {"Ruleset"},
	"Route":                         {"GroupFiltersList"},
	"S3DirectTarget":                {"Path", "Format"},
	"S3GlueParquetTarget":           {"Path"},
	"S3CatalogTarget":               {"Database", "Table"},
	"CatalogTarget":                 {"Database", "Table"},
	"AmazonRedshiftTarget":          {"Data.Connection.Value", "Data.Schema.Value", "Data.Table.Value"},
}

// looks are checks of single types, of what types in Go and the model cannot say.
var looks = map[string]func(*DAG, *Findings, *Node){
	"ApplyMapping":                  lookMapping,
	"Filter":                        lookFilter,
	"Route":                         lookRoute,
	"Join":                          lookJoin,
	"SparkSQL":                      lookSQL,
	"CustomCode":                    lookCode,
	"DropDuplicates":                lookDuplicates,
	"DropNullFields":                lookNulls,
	"EvaluateDataQualityMultiFrame": lookQuality,
	"SelectFromCollection":          lookSelection,
	"S3DirectTarget":                lookS3Target,
	"S3GlueParquetTarget":           lookS3Target,
	"AmazonRedshiftTarget":          lookRedshift,
}

func lookMapping(d *DAG, found *Findings, node *Node) {
	var look func(mappings []types.Mapping, path string)
	look = func(mappings []types.Mapping, path string) {
		for i, mapping := range mappings {
			at := fmt.Sprintf("%s[%d]", path, i)
			for name, value := range map[string]string{
				"FromPath": strings.Join(mapping.FromPath, "."), "FromType": text(mapping.FromType),
				"ToKey": text(mapping.ToKey), "ToType": text(mapping.ToType),
			} {
				if value == "" && len(mapping.Children) == 0 && !isTrue(mapping.Dropped) {
					found.add(d.nodePlace(node, at+"."+name), "missing")
				}
			}
			look(mapping.Children, at+".Children")
		}
	}
	look(node.Body.(*types.ApplyMapping).Mapping, "Mapping")
}

func lookFilter(d *DAG, found *Findings, node *Node) {
	d.lookFilters(found, node, "Filters", node.Body.(*types.Filter).Filters)
}

func (d *DAG) lookFilters(found *Findings, node *Node, path string, filters []types.FilterExpression) {
	for i, filter := range filters {
		at := d.nodePlace(node, fmt.Sprintf("%s[%d].Values", path, i))
		want := 2
		if filter.Operation == types.FilterOperationIsnull {
			want = 1
		}
		switch {
		case len(filter.Values) != want:
			found.add(at, "%s compares %d values, not %d", filter.Operation, want, len(filter.Values))
		case filter.Values[0].Type != types.FilterValueTypeColumnextracted:
			found.add(at, "the first value is a column: Type COLUMNEXTRACTED")
		case slices.ContainsFunc(filter.Values, func(value types.FilterValue) bool { return len(value.Value) == 0 }):
			found.add(at, "a value is missing")
		}
	}
}

func lookRoute(d *DAG, found *Findings, node *Node) {
	seen := []string{defaultGroup}
	for i, group := range node.Body.(*types.Route).GroupFiltersList {
		path := fmt.Sprintf("GroupFiltersList[%d]", i)
		if name := text(group.GroupName); name == "" || slices.Contains(seen, name) {
			found.add(d.nodePlace(node, path+".GroupName"), "%q: groups need names, different from one another and from %s", name, defaultGroup)
		}
		if len(group.Filters) == 0 {
			found.add(d.nodePlace(node, path+".Filters"), "missing")
		}
		seen = append(seen, text(group.GroupName))
		d.lookFilters(found, node, path+".Filters", group.Filters)
	}
}

func lookJoin(d *DAG, found *Findings, node *Node) {
	body := node.Body.(*types.Join)
	var counts []int
	for _, id := range node.Inputs {
		keys := joinKeys(body, id)
		counts = append(counts, len(keys))
		if len(keys) == 0 {
			found.add(d.nodePlace(node, "Columns"), "no keys From %s, which is an input", id)
		}
	}
	if len(counts) == 2 && counts[0] != counts[1] {
		found.add(d.nodePlace(node, "Columns"), "%d keys on one side, %d on the other", counts[0], counts[1])
	}
}

// lookSQL wants an alias for each input: a query can name nothing else.
func lookSQL(d *DAG, found *Findings, node *Node) {
	var aliased, names []string
	for i, alias := range node.Body.(*types.SparkSQL).SqlAliases {
		place := d.nodePlace(node, fmt.Sprintf("SqlAliases[%d]", i))
		if !slices.Contains(node.Inputs, text(alias.From)) {
			found.add(place, "From %q is no input of this node", text(alias.From))
		}
		if slices.Contains(names, text(alias.Alias)) {
			found.add(place, "the alias %q stands twice", text(alias.Alias))
		}
		aliased, names = append(aliased, text(alias.From)), append(names, text(alias.Alias))
	}
	for _, id := range node.Inputs {
		if !slices.Contains(aliased, id) {
			found.add(d.nodePlace(node, "SqlAliases"), "the input %s has no alias, so no query can read it", id)
		}
	}
}

var pythonName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// taken are names of the scripts' own.
var taken = []string{
	"args", "drop_nulls", "DynamicFrame", "DynamicFrameCollection", "EvaluateDataQuality", "glueContext", "GlueContext", "GroupFilter",
	"Job", "job", "re", "sc", "spark", "SparkContext", "sparkAggregate", "sparkSqlQuery", "sparkUnion", "SqlFuncs", "sys", "threadedRoute",
}

func lookCode(d *DAG, found *Findings, node *Node) {
	body := node.Body.(*types.CustomCode)
	if !pythonName.MatchString(text(body.ClassName)) {
		found.add(d.nodePlace(node, "ClassName"), "%q cannot name a function", text(body.ClassName))
	}
	if slices.Contains(taken, text(body.ClassName)) {
		found.add(d.nodePlace(node, "ClassName"), "%q is a name that scripts use themselves", text(body.ClassName))
	}
	for _, other := range d.Nodes {
		code, ok := other.Body.(*types.CustomCode)
		if ok && other != node && text(code.ClassName) == text(body.ClassName) && natural(other.ID, node.ID) < 0 {
			found.add(d.nodePlace(node, "ClassName"), "node %s has a function of this name already", other.ID)
		}
	}
	if placeholder.MatchString(text(body.Code)) {
		found.add(d.nodePlace(node, "Code"), "code takes no ${Name}; read the job's argument instead: args[\"Name\"]")
	}
}

// plainName is the pattern that the service's model has for columns of DropDuplicates, other than for those
// of all other nodes.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

func lookDuplicates(d *DAG, found *Findings, node *Node) {
	for i, path := range node.Body.(*types.DropDuplicates).Columns {
		for _, name := range path {
			if !plainName.MatchString(name) {
				found.add(d.nodePlace(node, fmt.Sprintf("Columns[%d]", i)), "%q: the Glue API takes letters, digits, _ and - here; rename the column before", name)
			}
		}
	}
}

func lookNulls(d *DAG, found *Findings, node *Node) {
	for i, value := range node.Body.(*types.DropNullFields).NullTextList {
		if value.Value == nil {
			found.add(d.nodePlace(node, fmt.Sprintf("NullTextList[%d].Value", i)), "missing")
		}
	}
}

// Limits of a ruleset, by the service's model.
const longestRuleset = 65_536

func lookQuality(d *DAG, found *Findings, node *Node) {
	body := node.Body.(*types.EvaluateDataQualityMultiFrame)
	rules := text(body.Ruleset)
	if name, ok := includedFile(rules); ok {
		rules = d.included[name]
	}
	if len(rules) > longestRuleset {
		found.add(d.nodePlace(node, "Ruleset"), "%d characters; a visual job takes %d", len(rules), longestRuleset)
	}
	if at := strings.IndexFunc(rules, func(r rune) bool { return r > 126 }); at >= 0 {
		line, column := position([]byte(rules), int64(at))
		found.add(d.nodePlace(node, "Ruleset"), "line %d, column %d: a ruleset in a visual job is ASCII", line, column)
	}
	options := types.AdditionalOptionKeys("").Values()
	for _, key := range sortedKeys(body.AdditionalOptions) {
		if !slices.Contains(options, types.AdditionalOptionKeys(key)) {
			found.add(d.nodePlace(node, "AdditionalOptions"), "%q is none of %s", key, joined(options))
		}
	}
	for _, alias := range sortedKeys(body.AdditionalDataSources) {
		if id := body.AdditionalDataSources[alias]; !slices.Contains(node.Inputs[min(1, len(node.Inputs)):], id) {
			found.add(d.nodePlace(node, "AdditionalDataSources."+alias), "%q is no further input of this node", id)
		}
	}
}

func joined[T ~string](values []T) string {
	var texts []string
	for _, value := range values {
		texts = append(texts, string(value))
	}
	return strings.Join(texts, ", ")
}

func lookSelection(d *DAG, found *Findings, node *Node) {
	parent := d.node(node.Inputs[0])
	if parent == nil || parent.kind.outputs == nil {
		return
	}
	names, index := parent.kind.outputs(parent), int(node.Body.(*types.SelectFromCollection).Index)
	switch {
	case index < 0:
		found.add(d.nodePlace(node, "Index"), "%d; frames are counted from 0", index)
	case len(names) > 0 && index >= len(names):
		found.add(d.nodePlace(node, "Index"), "%d; %s gives %d frames: %s", index, parent.ID, len(names), strings.Join(names, ", "))
	case slices.Contains(names, node.Name) && names[index] != node.Name:
		found.add(d.nodePlace(node, "Index"), "%d is %s, but the node is named after %d", index, names[index], slices.Index(names, node.Name))
	}
}

func lookS3Target(d *DAG, found *Findings, node *Node) {
	var policy *types.DirectSchemaChangePolicy
	switch body := node.Body.(type) {
	case *types.S3DirectTarget:
		policy = body.SchemaChangePolicy
		formats := []types.TargetFormat{types.TargetFormatCsv, types.TargetFormatJson, types.TargetFormatParquet, types.TargetFormatOrc, types.TargetFormatAvro}
		if !slices.Contains(formats, body.Format) {
			found.add(d.nodePlace(node, "Format"), "no script can be generated for %s; known are csv, json, parquet, orc, avro", body.Format)
		}
	case *types.S3GlueParquetTarget:
		policy = body.SchemaChangePolicy
	}
	if updatesCatalog(policy) && (policy.Database == nil || policy.Table == nil) {
		found.add(d.nodePlace(node, "SchemaChangePolicy"), "EnableUpdateCatalog needs Database and Table")
	}
}

func lookRedshift(d *DAG, found *Findings, node *Node) {
	data := node.Body.(*types.AmazonRedshiftTarget).Data
	if err := checkRedshift(data); err != nil {
		path := "Data"
		var field fieldError
		if errors.As(err, &field) {
			path = field.path
		}
		found.add(d.nodePlace(node, path), "%w", err)
	}
}

func checkRedshift(data *types.AmazonRedshiftNodeData) error {
	action := redshiftAction(data)
	if known := []string{"append", "truncate", "drop", "merge"}; !slices.Contains(known, action) {
		return fieldError{"Data.Action", fmt.Errorf("%q is none of %s", action, strings.Join(known, ", "))}
	}
	if kind := text(data.SourceType); kind != "" && kind != "table" {
		return fieldError{"Data.SourceType", fmt.Errorf("%q: a target is a table", kind)}
	}
	for i, column := range data.TableSchema {
		if column.Value == nil || column.Label == nil {
			return fieldError{fmt.Sprintf("Data.TableSchema[%d]", i), errors.New("want Value, the column's name, and Label, its type")}
		}
	}
	for i, option := range data.AdvancedOptions {
		if option.Key == nil || option.Value == nil {
			return fieldError{fmt.Sprintf("Data.AdvancedOptions[%d]", i), errors.New("want Key and Value")}
		}
	}
	if action == "drop" && len(data.TableSchema) == 0 && data.PreAction == nil {
		return fieldError{"Data.TableSchema", errors.New("missing; to drop a table and make it again takes its columns, or a PreAction")}
	}
	if action != "merge" || data.PreAction != nil && data.PostAction != nil {
		return nil
	}
	var columns []string
	for _, column := range data.TableSchema {
		columns = append(columns, *column.Value)
	}
	if len(columns) == 0 {
		return fieldError{"Data.TableSchema", errors.New("missing; to merge takes the table's columns, or PreAction and PostAction")}
	}
	if text(data.MergeClause) == "" && len(data.SelectedColumns) == 0 {
		return fieldError{"Data.SelectedColumns", errors.New("missing; to merge takes the columns to match rows by, or a MergeClause")}
	}
	for i, key := range data.SelectedColumns {
		if !slices.Contains(columns, text(key.Value)) {
			return fieldError{fmt.Sprintf("Data.SelectedColumns[%d]", i), fmt.Errorf("column %q is not in TableSchema: %s", text(key.Value), strings.Join(columns, ", "))}
		}
	}
	for field, value := range map[string]*string{"Data.MergeWhenMatched": data.MergeWhenMatched, "Data.MergeWhenNotMatched": data.MergeWhenNotMatched} {
		known := []string{"", "update", "delete"}
		if field == "Data.MergeWhenNotMatched" {
			known = []string{"", "insert"}
		}
		if !slices.Contains(known, strings.ToLower(text(value))) {
			return fieldError{field, fmt.Errorf("%q: want %s", text(value), strings.Join(known[1:], " or "))}
		}
	}
	return nil
}

// checkColumns follows the columns from node to node, as far as they are known.
func (d *DAG) checkColumns(found *Findings) {
	schemas := map[string]schema{}
	for _, node := range d.Nodes {
		var inputs []schema
		for _, id := range node.Inputs {
			inputs = append(inputs, schemas[id])
		}
		output, err := node.kind.columns(d, node, inputs)
		if err != nil {
			path := ""
			var field fieldError
			if errors.As(err, &field) {
				path = field.path
			}
			found.add(d.nodePlace(node, path), "%w", err)
		}
		schemas[node.ID] = output
	}
}
