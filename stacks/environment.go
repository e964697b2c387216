package stacks

// Environment holds the settings of one deployment, read from the context "environments" in
// cdk.json. What an environment leaves out has the value of defaults.
type Environment struct {
	// Name is the key in cdk.json, chosen with `-c environment=NAME`; part of every resource name.
	Name string `json:"-"`
	// Retain keeps buckets, key and logs when a stack is deleted, and takes a last snapshot of the
	// warehouse. Without it, deleting the stacks deletes the data.
	Retain bool `json:"retain"`
	// AlertEmail receives every alarm and report; empty for no subscription.
	AlertEmail string            `json:"alertEmail"`
	Schedule   ScheduleSettings  `json:"schedule"`
	Job        JobSettings       `json:"job"`
	Gate       GateSettings      `json:"gate"`
	Warehouse  WarehouseSettings `json:"warehouse"`
	Retention  RetentionSettings `json:"retention"`
	// QuarantineAlarmPercent is the share of a batch's rows in quarantine above which somebody is told.
	QuarantineAlarmPercent float64 `json:"quarantineAlarmPercent"`
	// DiscardCanvasEdits names the jobs whose edits on the canvas of Glue Studio this deployment may
	// overwrite; given with `-c discardCanvasEdits=NAME,NAME`.
	DiscardCanvasEdits []string `json:"-"`
}

// ScheduleSettings say when the pipeline starts by itself: every day, or the alarm on a schedule
// that did not fire would be false.
type ScheduleSettings struct {
	Enabled bool `json:"enabled"`
	// Expression is a cron of EventBridge Scheduler that fires at least once a day.
	Expression string `json:"expression"`
	// Timezone is the IANA name in which Expression is read.
	Timezone string `json:"timezone"`
	// LateDays are the days between a batch's date and the day its run is scheduled.
	LateDays int `json:"lateDays"`
}

// JobSettings size the Glue jobs.
type JobSettings struct {
	GlueVersion string `json:"glueVersion"`
	WorkerType  string `json:"workerType"`
	// Workers is the most that auto scaling may use, the driver included.
	Workers        int `json:"workers"`
	TimeoutMinutes int `json:"timeoutMinutes"`
	// Attempts is how often a run starts the job of a dataset before it gives up.
	Attempts int `json:"attempts"`
	// Visual jobs open on the canvas of Glue Studio; others are their scripts alone.
	Visual bool `json:"visual"`
}

// GateSettings size the Data Quality runs on a whole batch.
type GateSettings struct {
	Workers        int `json:"workers"`
	TimeoutMinutes int `json:"timeoutMinutes"`
}

// WarehouseSettings size Redshift Serverless, in RPU.
type WarehouseSettings struct {
	BaseCapacity int `json:"baseCapacity"`
	MaxCapacity  int `json:"maxCapacity"`
	// GlueConnection lets jobs load the warehouse through Redshift targets on the canvas. The endpoints
	// that this needs cost by the hour, whether a job runs or not: docs/visual-jobs.md says how much.
	GlueConnection bool `json:"glueConnection"`
}

// RetentionSettings say for how many days things are kept.
type RetentionSettings struct {
	LogDays int `json:"logDays"`
	// NoncurrentDays is how long an overwritten or deleted object can be brought back.
	NoncurrentDays int `json:"noncurrentDays"`
	// TemporaryDays is how long staging files, temporary files and Spark's event logs live.
	TemporaryDays int `json:"temporaryDays"`
	// SnapshotDays is how long the last snapshot of a deleted warehouse is kept.
	SnapshotDays int `json:"snapshotDays"`
}

func defaults() Environment {
	return Environment{
		Schedule:               ScheduleSettings{Expression: "cron(0 6 * * ? *)", Timezone: "UTC", LateDays: 1},
		Job:                    JobSettings{GlueVersion: "5.1", WorkerType: "G.1X", Workers: 2, TimeoutMinutes: 40, Attempts: 2, Visual: true},
		Gate:                   GateSettings{Workers: 2, TimeoutMinutes: 30},
		Warehouse:              WarehouseSettings{BaseCapacity: 4, MaxCapacity: 8},
		Retention:              RetentionSettings{LogDays: 30, NoncurrentDays: 30, TemporaryDays: 7, SnapshotDays: 30},
		QuarantineAlarmPercent: 5,
	}
}

// Prefix starts the name of every resource that has one: movie-pipeline-<environment>.
func (e Environment) Prefix() string { return "movie-pipeline-" + e.Name }

// Resource is the name of one resource of the environment: movie-pipeline-<environment>-<name>.
func (e Environment) Resource(name string) string { return e.Prefix() + "-" + name }

// Database is the name of a zone's Glue database: movie_pipeline_<environment>_<zone>.
func (e Environment) Database(zone string) string { return "movie_pipeline_" + e.Name + "_" + zone }
