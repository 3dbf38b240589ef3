package buildkit

// Marker is what the names of the driver's control groups begin with.
func (d *Driver) Marker() string { return d.marker }
