module github.com/berth-registry/berth/e2e

go 1.26
