// Package query runs SQL on the warehouse through the Redshift Data API.
package query

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata/types"
)

// Warehouse is a database of a Redshift Serverless workgroup, used with its admin secret.
type Warehouse struct {
	Client                      *redshiftdata.Client
	Workgroup, Database, Secret string
	// Interval is the time between two looks at a running statement.
	Interval time.Duration
}

// Column is a column of a result with its Redshift type.
type Column struct {
	Name, Type string
}

// Row is a row's values: nil for NULL, bool, int64, float64, json.Number for decimals, or string.
type Row []any

// Result is a finished statement. Rows are fetched, page by page, as they are ranged over.
type Result struct {
	// Returns is false for a statement that gives no rows, such as a DELETE.
	Returns bool
	// Affected is the number of rows returned or changed; -1 where Redshift does not count them.
	Affected int64
	Columns  []Column
	Rows     iter.Seq2[Row, error]
}

// StatementError is Redshift's refusal of a statement.
type StatementError struct{ Message string }

// Error gives Redshift's message.
func (e *StatementError) Error() string { return e.Message }

// Parameter is a value that Redshift binds to :name in a statement. It is not empty.
type Parameter struct{ Name, Value string }

// Run executes one statement and waits for its end. When ctx ends first, the statement is cancelled.
func (w Warehouse) Run(ctx context.Context, sql string, parameters ...Parameter) (Result, error) {
	request := &redshiftdata.ExecuteStatementInput{
		Sql: &sql, WorkgroupName: &w.Workgroup, Database: &w.Database, SecretArn: &w.Secret,
	}
	for _, parameter := range parameters {
		request.Parameters = append(request.Parameters, types.SqlParameter{Name: &parameter.Name, Value: &parameter.Value})
	}
	started, err := w.Client.ExecuteStatement(ctx, request)
	if err != nil {
		return Result{}, fmt.Errorf("query: %w", err)
	}
	id := aws.ToString(started.Id)
	ended, err := w.await(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if !aws.ToBool(ended.HasResultSet) {
		return Result{Affected: ended.ResultRows, Rows: func(func(Row, error) bool) {}}, nil
	}
	first, err := w.page(ctx, id, nil)
	if err != nil {
		return Result{}, err
	}
	columns := columnsOf(first.ColumnMetadata)
	return Result{Returns: true, Affected: ended.ResultRows, Columns: columns, Rows: w.rows(ctx, id, columns, first)}, nil
}

// await looks at the statement until it has ended, and gives Redshift's error when it failed.
func (w Warehouse) await(ctx context.Context, id string) (*redshiftdata.DescribeStatementOutput, error) {
	for {
		described, err := w.Client.DescribeStatement(ctx, &redshiftdata.DescribeStatementInput{Id: &id})
		if err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		if err == nil {
			switch described.Status {
			case types.StatusStringFinished:
				return described, nil
			case types.StatusStringFailed, types.StatusStringAborted:
				return nil, &StatementError{message(described)}
			}
		}
		select {
		case <-ctx.Done():
			w.cancel(id)
			return nil, ctx.Err()
		case <-time.After(w.Interval):
		}
	}
}

func message(described *redshiftdata.DescribeStatementOutput) string {
	if text := strings.TrimSpace(aws.ToString(described.Error)); text != "" {
		return text
	}
	return "the statement ended as " + string(described.Status)
}

// cancel tries to stop a statement that nobody waits for any more; it may have ended by itself.
func (w Warehouse) cancel(id string) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	_, _ = w.Client.CancelStatement(ctx, &redshiftdata.CancelStatementInput{Id: &id})
}

func (w Warehouse) page(ctx context.Context, id string, token *string) (*redshiftdata.GetStatementResultOutput, error) {
	page, err := w.Client.GetStatementResult(ctx, &redshiftdata.GetStatementResultInput{Id: &id, NextToken: token})
	if err != nil {
		return nil, fmt.Errorf("result of the query: %w", err)
	}
	return page, nil
}

func (w Warehouse) rows(ctx context.Context, id string, columns []Column, page *redshiftdata.GetStatementResultOutput) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			for _, record := range page.Records {
				if !yield(rowOf(record, columns), nil) {
					return
				}
			}
			if aws.ToString(page.NextToken) == "" {
				return
			}
			next, err := w.page(ctx, id, page.NextToken)
			if err != nil {
				yield(nil, err)
				return
			}
			page = next
		}
	}
}

// columnsOf names the columns; a name that stands twice gets a number, so that no value is lost in
// an object by name.
func columnsOf(metadata []types.ColumnMetadata) []Column {
	var columns []Column
	taken := map[string]bool{}
	for _, column := range metadata {
		name := aws.ToString(column.Label)
		if name == "" {
			name = aws.ToString(column.Name)
		}
		unique := name
		for n := 2; taken[unique]; n++ {
			unique = fmt.Sprintf("%s_%d", name, n)
		}
		taken[unique] = true
		columns = append(columns, Column{Name: unique, Type: aws.ToString(column.TypeName)})
	}
	return columns
}

func rowOf(record []types.Field, columns []Column) Row {
	row := make(Row, len(record))
	for i, field := range record {
		kind := ""
		if i < len(columns) {
			kind = columns[i].Type
		}
		row[i] = valueOf(field, kind)
	}
	return row
}

// exact are the types whose numbers the Data API gives as text, so that no digit is lost.
var exact = []string{"numeric", "decimal"}

func valueOf(field types.Field, kind string) any {
	switch member := field.(type) {
	case *types.FieldMemberBooleanValue:
		return member.Value
	case *types.FieldMemberLongValue:
		return member.Value
	case *types.FieldMemberDoubleValue:
		return member.Value
	case *types.FieldMemberBlobValue:
		return fmt.Sprintf("%x", member.Value)
	case *types.FieldMemberStringValue:
		if slices.Contains(exact, kind) && json.Valid([]byte(member.Value)) {
			return json.Number(member.Value)
		}
		return member.Value
	default:
		return nil
	}
}

// Marts lists the tables of the schema marts.
func (w Warehouse) Marts(ctx context.Context) ([]string, error) {
	result, err := w.Run(ctx, "select table_name from information_schema.tables where table_schema = 'marts' order by table_name")
	if err != nil {
		return nil, fmt.Errorf("list marts: %w", err)
	}
	var names []string
	for row, err := range result.Rows {
		if err != nil {
			return nil, err
		}
		names = append(names, fmt.Sprint(row[0]))
	}
	return names, nil
}

// Glance gives a few rows of a mart.
func (w Warehouse) Glance(ctx context.Context, mart string, rows int) (Result, error) {
	quoted := `"` + strings.ReplaceAll(mart, `"`, `""`) + `"`
	return w.Run(ctx, fmt.Sprintf("select * from marts.%s limit %d", quoted, rows))
}
