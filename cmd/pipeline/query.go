package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	"github.com/spf13/cobra"

	"moviepipeline/internal/project"
	"moviepipeline/internal/query"
	"moviepipeline/internal/render"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// glanceRows is how many rows of each mart are shown after a run.
const glanceRows = 3

func (a *app) queryCommand() *cobra.Command {
	var output, file string
	command := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Ask the warehouse",
		Long: `Run one SQL statement on the warehouse, as its administrator, through the Redshift Data API.

Films are in analytics.movies, ratings in analytics.ratings, and the answers to the usual
questions in the schema marts. Questions of more than one line are saved in sql/queries. In JSON,
NULL is null and numbers are numbers; in CSV, NULL is empty.`,
		Example: `  pipeline query "select count(*) from analytics.ratings"
  pipeline query "select table_name from information_schema.tables where table_schema = 'marts'"
  pipeline query --output csv "select * from analytics.movies" > movies.csv
  pipeline query --file question.sql --output json
  pipeline query --file biggest_films                # one of those saved in sql/queries
  echo "select 1" | pipeline query --file -`,
		Args: atMost(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			sql, err := statement(command.InOrStdin(), arguments, file)
			if err != nil {
				return err
			}
			if err := oneOf("output", output, "table", "json", "csv"); err != nil {
				return err
			}
			return a.query(command.Context(), sql, output)
		},
	}
	command.Flags().StringVar(&output, "output", "table", "`form` of the rows: table, json or csv")
	command.Flags().StringVar(&file, "file", "", "`file` with the statement, or the name of one in sql/queries; - for the standard input")
	return command
}

// statement is the SQL given as an argument or in a file.
func statement(in io.Reader, arguments []string, file string) (string, error) {
	var sql string
	switch {
	case file != "" && len(arguments) > 0:
		return "", usage.Errorf("give the statement as an argument or with --file, not both")
	case file == "-":
		content, err := io.ReadAll(in)
		if err != nil {
			return "", usage.Errorf("standard input: %w", err)
		}
		sql = string(content)
	case file != "":
		content, err := statementFile(file)
		if err != nil {
			return "", usage.Errorf("--file: %w", err)
		}
		sql = string(content)
	case len(arguments) > 0:
		sql = arguments[0]
	}
	if strings.TrimSpace(sql) == "" {
		return "", usage.Errorf("no SQL statement is given; for instance: pipeline query \"select count(*) from analytics.movies\"")
	}
	return sql, nil
}

// savedQueries is where a checkout keeps its queries, and savedName what one of them is asked for by.
const savedQueries = "sql/queries"

var savedName = regexp.MustCompile(`^[a-z0-9_]+$`)

// statementFile reads a file, or the saved query of that name.
func statementFile(file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) || !savedName.MatchString(file) {
		return content, err
	}
	checkout, err := project.Find(".")
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(checkout.Root, filepath.FromSlash(savedQueries))
	content, err = os.ReadFile(filepath.Join(folder, file+".sql"))
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	saved, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil {
		return nil, err
	}
	for i, path := range saved {
		saved[i] = strings.TrimSuffix(filepath.Base(path), ".sql")
	}
	return nil, fmt.Errorf("there is no file %q, and %s has no query of that name; it has %s", file, savedQueries, strings.Join(saved, ", "))
}

func (a *app) query(ctx context.Context, sql, output string) error {
	warehouse, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	result, err := warehouse.Run(ctx, sql)
	var refused *query.StatementError
	if errors.As(err, &refused) {
		return fmt.Errorf("the warehouse refused the statement: %w", err)
	}
	if err != nil {
		return err
	}
	return a.rows(result, output)
}

func (a *app) rows(result query.Result, output string) error {
	if !result.Returns {
		if result.Affected >= 0 {
			fmt.Fprintf(a.err, "Done, %d rows.\n", result.Affected)
		} else {
			fmt.Fprintln(a.err, "Done.")
		}
		return nil
	}
	switch output {
	case "json":
		return render.RowJSON(a.out, result)
	case "csv":
		return render.RowCSV(a.out, result)
	default:
		return render.RowTable(a.out, result)
	}
}

// warehouse is that of the environment that the command is about.
func (a *app) warehouse(ctx context.Context) (query.Warehouse, error) {
	place, err := a.open(ctx)
	if err != nil {
		return query.Warehouse{}, err
	}
	outputs, err := place.Outputs(ctx, "warehouse")
	if err != nil {
		return query.Warehouse{}, err
	}
	return warehouseOf(place, outputs)
}

func warehouseOf(place target.Target, outputs target.Outputs) (query.Warehouse, error) {
	workgroup, err := outputs.Get("Workgroup")
	if err != nil {
		return query.Warehouse{}, err
	}
	database, err := outputs.Get("Database")
	if err != nil {
		return query.Warehouse{}, err
	}
	secret, err := outputs.Get("AdminSecretArn")
	if err != nil {
		return query.Warehouse{}, err
	}
	return query.Warehouse{
		Client: redshiftdata.NewFromConfig(place.Config), Workgroup: workgroup, Database: database, Secret: secret,
		Interval: interval(place) / 4,
	}, nil
}

// glance shows the first rows of every mart.
func (a *app) glance(ctx context.Context, run watched) error {
	warehouse, err := warehouseOf(run.place, run.outputs)
	if err != nil {
		return err
	}
	marts, err := warehouse.Marts(ctx)
	if err != nil {
		return err
	}
	for _, mart := range marts {
		rows, err := warehouse.Glance(ctx, mart, glanceRows)
		if err != nil {
			return fmt.Errorf("mart %s: %w", mart, err)
		}
		fmt.Fprintf(a.out, "\nmarts.%s\n", mart)
		if err := render.RowTable(a.out, rows); err != nil {
			return err
		}
	}
	if len(marts) > 0 {
		fmt.Fprintf(a.out, "\nAsk more: pipeline query \"select * from marts.%s\"%s\n", marts[0], a.suffix())
	}
	return nil
}
