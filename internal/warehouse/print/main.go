// Print writes the plan of the warehouse to standard output, as it is deployed:
//
//	go run ./internal/warehouse/print
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/warehouse"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	list, err := datasets.Load("datasets.json")
	if err != nil {
		return err
	}
	plan, err := warehouse.Plan("sql", list)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(plan)
}
