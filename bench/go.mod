module github.com/berth-registry/berth/bench

go 1.26
