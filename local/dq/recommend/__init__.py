"""Rules proposed from data: what they hold, why, and which faults they would catch."""
