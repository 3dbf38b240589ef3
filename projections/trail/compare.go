package trail

import "hubledger/projections"

// queries are those whose results a new build of the read model must share with the
// build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("entries", `SELECT seq, time, namespace, audience FROM entries`, 1),
	projections.SQLQuery("marks", `SELECT mark, seq FROM marks`, 2),
}
