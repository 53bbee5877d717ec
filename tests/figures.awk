# Extracts the figures of `make prove` from its log.

# The test runner prints its dots before the text of a test.
{ sub(/^\.+/, "") }
/^== .* took / { took = took "\n  " $2 ": " $4 " s"; next }
/^== / { part = $2 }
/^(exhaustive|sequences|coverage|histories|generated): / { print }
/^(vectors|verdicts): all [0-9]+ runners agree: / { print }
/^loom: [0-9]+ executions/ { executions += $2 }
part == "prove-miri" && /^test result: ok/ { tests += $4 }
/number_of_executed_units/ { inputs += $2 }

END {
	print "loom: " executions " executions"
	print "miri: " tests " tests"
	print "fuzzing: " inputs " inputs"
	print "Durations of the parts:" took
}
