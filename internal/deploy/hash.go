package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sources is all that a synthesis reads: the app, its settings and the files it deploys.
var sources = []string{
	"main.go", "go.mod", "go.sum", "cdk.json", "datasets.json", "package-lock.json",
	"stacks", "glue-scripts", "dqdl-rules", "sql", "internal/visual", "internal/warehouse", "internal/datasets",
}

// Hash identifies what a deployment of the environment would be made from: the names and contents
// of all source files under root, tests aside. What is not there counts as absent.
func Hash(root, environment string) (string, error) {
	digest := sha256.New()
	fmt.Fprintln(digest, environment)
	for _, source := range sources {
		if err := addTree(digest, root, source); err != nil {
			return "", fmt.Errorf("hash of what is deployed: %w", err)
		}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func addTree(digest io.Writer, root, source string) error {
	err := filepath.WalkDir(filepath.Join(root, source), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pyc") {
			return nil
		}
		return addFile(digest, root, path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func addFile(digest io.Writer, root, path string) error {
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	content := sha256.New()
	if _, err := io.Copy(content, file); err != nil {
		return err
	}
	fmt.Fprintf(digest, "%s %x\n", filepath.ToSlash(name), content.Sum(nil))
	return nil
}
