// Package deploy puts the stacks of the checkout into the local cloud with the pinned CDK CLI,
// when what they are made from has changed since the last time.
package deploy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"moviepipeline/internal/project"
	"moviepipeline/internal/target"
)

// bootstrapStack is made by `cdk bootstrap`, once a cloud.
const bootstrapStack = "CDKToolkit"

// Deployment deploys one environment of a checkout to the local cloud at URL.
type Deployment struct {
	Checkout project.Project
	URL      string
	Target   target.Target
}

// Needed tells whether the sources differ from those of the last successful deployment to this
// cloud, and gives their hash.
func (d Deployment) Needed(ctx context.Context) (bool, string, error) {
	hash, err := Hash(d.Checkout.Root, d.Target.Environment)
	if err != nil {
		return false, "", err
	}
	if d.deployed()[d.Target.Environment] != hash {
		return true, hash, nil
	}
	stands, err := d.Target.Stands(ctx, d.Target.Prefix()+"-workflow")
	return !stands, hash, err
}

// Run deploys all stacks and notes hash as deployed. Each line that tells of progress goes to
// progress; everything the CDK says is kept in the state folder's deploy.log.
func (d Deployment) Run(ctx context.Context, hash string, progress func(string)) error {
	if err := d.Checkout.CheckDeploy(ctx); err != nil {
		return err
	}
	if err := d.note(""); err != nil {
		return err
	}
	log, err := os.Create(d.logFile())
	if err != nil {
		return fmt.Errorf("log of the deployment: %w", err)
	}
	defer log.Close()
	bootstrapped, err := d.Target.Stands(ctx, bootstrapStack)
	if err != nil {
		return err
	}
	if !bootstrapped {
		progress("bootstrap")
		// Away from cdk.json, the CDK does not synthesize the app for it.
		err := d.cdk(ctx, d.Checkout.StateDir(), log, progress, "bootstrap", "aws://"+target.LocalAccount+"/"+target.LocalRegion)
		if err != nil {
			return err
		}
	}
	progress("synthesize")
	err = d.cdk(ctx, d.Checkout.Root, log, progress, "deploy", "--all", "--concurrency", "4", "--require-approval", "never", "--progress", "events",
		"--context", "environment="+d.Target.Environment, "--output", filepath.Join(d.Checkout.StateDir(), "cdk.out"))
	if err != nil {
		return err
	}
	return d.note(hash)
}

// stackEvent matches the CDK's line for a resource: stack | done/of | time | status | type | id.
var stackEvent = regexp.MustCompile(`^(\S+) \|\s*(\d+)/(\d+) \|`)

// cdk runs the CDK command line in dir. Its output goes to log; progress gets "<layer> done/of".
func (d Deployment) cdk(ctx context.Context, dir string, log io.Writer, progress func(string), arguments ...string) error {
	command := exec.CommandContext(ctx, d.Checkout.CDK(), append(arguments, "--no-notices", "--no-color")...)
	command.Dir = dir
	command.Env = append(target.LocalEnvironment(os.Environ(), d.URL),
		"NO_PROXY=127.0.0.1,"+os.Getenv("NO_PROXY"),
		"CDK_DISABLE_VERSION_CHECK=1", "CDK_DISABLE_CLI_TELEMETRY=true", "NODE_NO_WARNINGS=1",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	output, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	told := make(chan []string)
	go func() { told <- d.follow(io.TeeReader(output, log), progress) }()
	err := command.Run()
	_ = writer.Close()
	lines := <-told
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cdk %s failed (%w):\n%s\nAll of it is in %s", arguments[0], err, strings.Join(lines, "\n"), d.logFile())
	}
	return nil
}

// follow reads the CDK's output to its end and gives what most likely tells why it failed: the
// resources that failed first, and the last lines.
func (d Deployment) follow(output io.Reader, progress func(string)) []string {
	const mostFailed, mostLast = 5, 10
	var failed, last []string
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " ")
		if match := stackEvent.FindStringSubmatch(line); match != nil {
			layer := strings.TrimPrefix(match[1], d.Target.Prefix()+"-")
			progress(fmt.Sprintf("%s %s/%s", layer, match[2], match[3]))
			if strings.Contains(line, "_FAILED") && len(failed) < mostFailed {
				failed = append(failed, "  "+line)
			}
			continue
		}
		// The local cloud has no roles to assume; the CDK says so each time.
		if line != "" && !strings.Contains(line, "could not be used to assume") {
			last = append(last, "  "+line)
			last = last[max(0, len(last)-mostLast):]
		}
	}
	// A line longer than the buffer ends the scan: the writer must not block for it.
	_, _ = io.Copy(io.Discard, output)
	return append(failed, last...)
}

func (d Deployment) logFile() string { return filepath.Join(d.Checkout.StateDir(), "deploy.log") }

func (d Deployment) noteFile() string { return filepath.Join(d.Checkout.StateDir(), "deployed.json") }

// deployed gives the hash last deployed of each environment; an unreadable note counts as none.
func (d Deployment) deployed() map[string]string {
	notes := map[string]string{}
	content, err := os.ReadFile(d.noteFile())
	if err != nil || json.Unmarshal(content, &notes) != nil {
		return map[string]string{}
	}
	return notes
}

// note records hash as deployed; an empty one before a deployment starts, so that one that is
// broken off is done again.
func (d Deployment) note(hash string) error {
	notes := d.deployed()
	if hash == "" {
		delete(notes, d.Target.Environment)
	} else {
		notes[d.Target.Environment] = hash
	}
	content, err := json.MarshalIndent(notes, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.noteFile(), append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("note of the deployment: %w", err)
	}
	return nil
}
