package registry

// Counter is a number that only grows; prometheus.Counter is one.
type Counter interface {
	Inc()
	Add(float64)
}

// Metrics is what the registry counts.
type Metrics struct {
	Pushes  Counter // manifests accepted
	Uploads Counter // blobs accepted
	Mounts  Counter // blobs leased from another repository
	Swept   Counter // blobs collected
	Freed   Counter // bytes of them
}
