# Extracts the figures of `make prove` from its log.

/^== .* took / { took = took "\n  " $2 ": " $4 " s"; next }
/^== / { part = $2 }
/^(exhaustive|stories|coverage|histories|generated): / { print }
/^(vectors|verdicts): all [0-9]+ runners agree: / { print }
# The test runner prints its dots before this text.
match($0, /loom: [0-9]+ executions/) { split(substr($0, RSTART), words, " "); executions += words[2] }
part == "prove-miri" && /^test result: ok/ { tests += $4 }
/number_of_executed_units/ { inputs += $2 }
/ mutants tested in / { mutants = mutants "\n  " $0 }

END {
	print "loom: " executions " executions"
	print "miri: " tests " tests"
	print "fuzzing: " inputs " inputs"
	print "mutants, first run against the quick tests, then the survivors against all tests:" mutants
	print "Durations of the parts:" took
}
