package visual

import (
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func emitS3CatalogSource(s *script, node *Node) {
	body := node.Body.(*types.S3CatalogSource)
	arguments := s.catalog(body.Database, body.Table, body.PartitionPredicate)
	if bounds := bounded(reflect.ValueOf(body.AdditionalOptions)); len(bounds) > 0 {
		arguments = append(arguments, argument("additional_options", dict(bounds...)))
	}
	s.assign(node, call("glueContext.create_dynamic_frame.from_catalog", append(arguments, context(node))...))
}

func emitCatalogSource(s *script, node *Node) {
	body := node.Body.(*types.CatalogSource)
	arguments := s.catalog(body.Database, body.Table, body.PartitionPredicate)
	s.assign(node, call("glueContext.create_dynamic_frame.from_catalog", append(arguments, context(node))...))
}

func (s *script) catalog(database, table, predicate *string) []item {
	arguments := []item{argument("database", s.value(*database)), argument("table_name", s.value(*table))}
	if text, ok := s.optional(predicate); ok {
		arguments = append(arguments, argument("push_down_predicate", text))
	}
	return arguments
}

// bounded gives the options that bound what one run reads.
// https://docs.aws.amazon.com/glue/latest/dg/bounded-execution.html
func bounded(options reflect.Value) []item {
	var entries []item
	if options.IsNil() {
		return nil
	}
	for _, name := range []string{"BoundedFiles", "BoundedSize"} {
		if value := options.Elem().FieldByName(name); !value.IsNil() {
			key := "boundedFiles"
			if name == "BoundedSize" {
				key = "boundedSize"
			}
			entries = append(entries, entry(key, raw(quote(fmt.Sprint(value.Elem().Int())))))
		}
	}
	return entries
}

var separators = map[types.Separator]string{
	types.SeparatorComma: ",", types.SeparatorCtrla: "\x01", types.SeparatorPipe: "|",
	types.SeparatorSemicolon: ";", types.SeparatorTab: "\t",
}

var quoteChars = map[types.QuoteChar]expression{
	types.QuoteCharQuote:       raw(quote(`"`)),
	types.QuoteCharQuillemet:   raw(quote("»")),
	types.QuoteCharSingleQuote: raw(quote("'")),
	types.QuoteCharDisabled:    raw("-1"), // See https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html
}

func emitS3CsvSource(s *script, node *Node) {
	body := node.Body.(*types.S3CsvSource)
	options := []item{entry("quoteChar", quoteChars[body.QuoteChar])}
	options = append(options, switched("withHeader", body.WithHeader)...)
	options = append(options, entry("separator", raw(quote(separators[body.Separator]))))
	if escaper, ok := s.optional(body.Escaper); ok {
		options = append(options, entry("escaper", escaper))
	}
	options = append(options, switched("skipFirst", body.SkipFirst)...)
	options = append(options, switched("writeHeader", body.WriteHeader)...)
	options = append(options, multiline(body.Multiline)...)
	options = append(options, entry("optimizePerformance", boolean(body.OptimizePerformance)))
	s.fromS3(node, "csv", options, string(body.CompressionType))
}

func emitS3JSONSource(s *script, node *Node) {
	body := node.Body.(*types.S3JsonSource)
	var options []item
	if path, ok := s.optional(body.JsonPath); ok {
		options = append(options, entry("jsonPath", path))
	}
	options = append(options, multiline(body.Multiline)...)
	s.fromS3(node, "json", options, string(body.CompressionType))
}

func emitS3ParquetSource(s *script, node *Node) {
	s.fromS3(node, "parquet", nil, "") // Parquet files name their own compression.
}

func switched(name string, on *bool) []item {
	if on == nil {
		return nil
	}
	return []item{entry(name, boolean(*on))}
}

// multiline is a text in the scripts of Glue Studio.
func multiline(on *bool) []item {
	if on == nil {
		return nil
	}
	return []item{entry("multiLine", raw(quote(fmt.Sprint(*on))))}
}

// fromS3 reads files. The options that all formats share have the same names in their structures.
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
func (s *script) fromS3(node *Node, format string, formatOptions []item, compression string) {
	body := reflect.ValueOf(node.Body).Elem()
	options := []item{entry("paths", s.texts(body.FieldByName("Paths").Interface().([]string)))}
	options = append(options, switched("recurse", body.FieldByName("Recurse").Interface().(*bool))...)
	if exclusions := body.FieldByName("Exclusions").Interface().([]string); len(exclusions) > 0 {
		options = append(options, entry("exclusions", s.jsonList(exclusions)))
	}
	if compression != "" {
		options = append(options, entry("compressionType", raw(quote(compression))))
	}
	for _, option := range []struct{ field, key string }{{"GroupFiles", "groupFiles"}, {"GroupSize", "groupSize"}} {
		if value, ok := s.optional(body.FieldByName(option.field).Interface().(*string)); ok {
			options = append(options, entry(option.key, value))
		}
	}
	for _, option := range []struct{ field, key string }{{"MaxBand", "maxBand"}, {"MaxFilesInBand", "maxFilesInBand"}} {
		if value := body.FieldByName(option.field).Interface().(*int32); value != nil {
			options = append(options, entry(option.key, raw(quote(fmt.Sprint(*value)))))
		}
	}
	options = append(options, bounded(body.FieldByName("AdditionalOptions"))...)
	s.assign(node, call("glueContext.create_dynamic_frame.from_options",
		argument("format_options", dict(formatOptions...)),
		argument("connection_type", raw(quote("s3"))),
		argument("format", raw(quote(format))),
		argument("connection_options", dict(options...)),
		context(node)))
}

// jsonList writes texts as the JSON list that the option "exclusions" is.
func (s *script) jsonList(values []string) expression {
	text := "["
	for i, value := range values {
		encoded, err := encodeText(value)
		if err != nil { // A text can always be encoded.
			panic(err)
		}
		text += separator(i) + encoded
	}
	return s.value(text + "]")
}
