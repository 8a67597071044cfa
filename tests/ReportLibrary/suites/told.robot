*** Settings ***
Resource            report.resource

*** Variables ***
@{TRAIL}            ${{[1790000000.0, 1, "source"]}}    ${{[1790000000.5, 2, "source"]}}
...                 ${{[1790000002.0, 1, "other"]}}

*** Test Cases ***
Goes On
    GROUP    Deploying
        No Operation
    END

Starts Afresh
    GROUP    Asking
        Ask    GET    /v2/actions    <b>an answer</b>
        Ask    GET    /v2/actions    <b>an answer</b>
        Ask    POST    /v2/checkpoint    ${SECRET}
    END
    GROUP    Judging
        VAR    &{phase}    phase=restore    seconds=${1}    start=2026-09-21T14:13:20+00:00
        Record Phase    ${phase}
        VAR    &{verdict}    verdict=restarted    workload=web    sentence=restarted    b=${1}    trail=${TRAIL}
        Record Verdict    ${verdict}
        VAR    &{before}    metadata=${{{"name": "web", "uid": "1"}}}
        VAR    &{after}    metadata=${{{"name": "web", "uid": "2"}}}
        Log Pod Before And After    ${before}    ${after}
        Fail    Expected: it to go on\nSeen: nonce <i>2</i> came ${SECRET}\nCause: process-restarted (product)
    END

*** Keywords ***
Ask
    [Arguments]    ${method}    ${path}    ${answer}
    Evaluate    harness.exchanges.EXCHANGES.note($method, $path, 200, 0.1, answer=$answer)
    ...    modules=harness.exchanges
