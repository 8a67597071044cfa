*** Settings ***
Documentation    A test that fails with the cause and the words that are given, amid a story of some steps.

Resource         report.resource


*** Variables ***
${CAUSE}    unknown
${SEEN}     nothing


*** Test Cases ***
Breaks
    GROUP    Asking
        Evaluate    harness.exchanges.EXCHANGES.note("GET", "/v2/actions", 200, 0.1)    modules=harness.exchanges
    END
    GROUP    Judging
        VAR    @{trail}    ${{[1790000000.0, 1, "source"]}}    ${{[1790000002.0, 2, "own"]}}
        VAR    &{verdict}    verdict=continued    workload=web    sentence=continued    b=${1}    trail=${trail}
        Record Verdict    ${verdict}
        Fail    Expected: it to go on\nSeen: ${SEEN}\nLook next: the log\nCause: ${CAUSE} (product)
    END
