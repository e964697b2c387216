package test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/visual"
)

func TestJobsHaveTheNamesThatDAGsMayHold(t *testing.T) {
	for _, form := range []string{"dev", "prod", "other"} {
		for _, job := range some(t, form, "AWS::Glue::Job") {
			arguments := job.Properties["DefaultArguments"].(map[string]any)
			for _, name := range visual.Names {
				if name != visual.Connection || form == "other" { // the form with a connection
					assert.Contains(t, arguments, "--"+name, form)
				}
			}
		}
	}
}
