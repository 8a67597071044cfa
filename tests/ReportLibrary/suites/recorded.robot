*** Settings ***
Resource            report.resource
Suite Setup         Bring Up
Suite Teardown      Record Leftovers    ${{['namespace e2e', 'pod e2e/test-nginx']}}

*** Test Cases ***
Checkpoint
    Record Measurement    time to checkpoint    1.5    s
    Record Measurement    restarts    0
    VAR    &{verdict}    verdict=continued    b=${12}    r=${14}    a=${13}    said=${SECRET}
    Record Verdict    ${verdict}
    Record Verdict    ${{leaky.Verdict()}}
    ${path}=    Publish Evidence
    ${text}=    Evaluate    $path.read_text()
    Should Contain    ${text}    time to checkpoint
    Should Contain    ${text}    RUNNING

Refused
    Fail    Expected: a token that is good\nSeen: 401\nCause: auth (service)

Wrong Verdict
    Record Verdict    nothing

Wrong Number
    Record Measurement    a    nan

Wrong Truth
    Record Environment    emulated=perhaps

*** Keywords ***
Bring Up
    Record Environment    provider=sandbox    emulated=true    kubernetes=v1.33.13+emulated    chart=cedana-0.1.0
    VAR    &{node}    name=node-1    cpu=${2}
    VAR    @{nodes}    ${node}
    Record Environment    propagator_era=jan26    propagator_url=https://me:${SECRET}@ci.cedana.ai/v1?token=1
    Record Environment    nodes=${nodes}    runc=1.3
    Record Measurement    time to bring up    3    s
