package buildkit_test

// victimDir names, for a process that is to be killed, the directory of its driver.
const victimDir = "HUBLEDGER_TEST_VICTIM"

func victim(string) int { return 1 }
