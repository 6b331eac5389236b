"""What happens over time: windows, slices, thresholds that keep a promised rate of false alarms."""
