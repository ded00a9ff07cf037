package main

import "github.com/berth-registry/berth/bench/internal/report"

// zot 2.1.20 cannot be built from the module proxy. When the targets were set, it was measured beside distribution
// with this load; of distribution's operations per second it did so many times:
const (
	zotPush4K = 759.0 / 275
	zotPush1M = 259.0 / 183
)

// memoryRow is the key of the row that is no operation.
const memoryRow = "memory"

// goals are what berth must reach, by row.
var goals = map[string]report.Goal{
	"manifest-head":   {Text: "CPU <= 2 x floor", Of: report.CPU, Times: 2, Server: "floor"},
	"manifest-get":    {Text: "CPU <= 2 x floor", Of: report.CPU, Times: 2, Server: "floor"},
	"blob-head":       {Text: "CPU <= 2 x floor", Of: report.CPU, Times: 2, Server: "floor"},
	"blob-get-1k":     {Text: "CPU <= 1.5 x floor", Of: report.CPU, Times: 1.5, Server: "floor"},
	"blob-get-64m":    {Text: "CPU <= 1.2 x floor", Of: report.CPU, Times: 1.2, Server: "floor"},
	"push-4k":         {Text: ">= 2 x zot's op/s = 5.5 x distribution", Of: report.Rate, Times: 2 * zotPush4K, Server: "distribution"},
	"push-1m":         {Text: ">= zot's op/s = 1.4 x distribution", Of: report.Rate, Times: zotPush1M, Server: "distribution"},
	"push-64m":        {Text: "CPU <= 1.15 x floor", Of: report.CPU, Times: 1.15, Server: "floor"},
	"push-64m-chunks": {Text: "CPU <= 1.1 x one PUT", Of: report.CPU, Times: 1.1, Row: "push-64m"},
	"manifest-put":    {Text: ">= 2000 op/s", Of: report.Rate, Times: 2000},
	"tags":            {Text: ">= 5000 op/s", Of: report.Rate, Times: 5000},
	"catalog":         {Text: ">= 3000 op/s", Of: report.Rate, Times: 3000},
	"create":          {Text: ">= 5 x distribution's op/s", Of: report.Rate, Times: 5, Server: "distribution"},
	memoryRow:         {Text: "<= 64 MB", Of: report.Memory, Times: 64e6},
}
