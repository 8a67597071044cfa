*** Settings ***
Resource            report.resource
Suite Teardown      Record Checkpoint Storage    3    5200000    kept=2    removed=True

*** Test Cases ***
Measured
    VAR    &{checkpoint}    phase=checkpoint    seconds=${0.7}    use=${{[$WORKLOAD, $NODE]}}    source=metrics.k8s.io
    Record Phase    ${checkpoint}
    VAR    &{restore}    phase=restore    seconds=${9.5}    complete=${False}
    Record Phase    ${restore}
    VAR    &{verdict}    verdict=continued    freeze_gap_seconds=${0.25}    downtime_seconds=${None}    b=${12}
    Record Verdict    ${verdict}

Measured Again
    Record Checkpoint Storage    1
    VAR    &{checkpoint}    phase=checkpoint    seconds=${0.9}
    Record Phase    ${checkpoint}
    Record Leftovers    ${{['checkpoint of pod a/b', 'namespace a']}}

Cannot Be
    Skip    needs a node with an allocatable nvidia.com/gpu; there is none

Wrong Phase
    VAR    &{phase}    phase=checkpoint
    Record Phase    ${phase}

*** Variables ***
&{WORKLOAD}     of=workload    name=web    samples=${2}    window_seconds=${0}    cpu_cores_mean=${0.1}
...             cpu_cores_most=${0.2}    memory_bytes_mean=${1000000}    memory_bytes_most=${2000000}
&{NODE}         of=node    name=node-1    samples=${1}    window_seconds=${10}    cpu_cores_mean=${1.5}
...             cpu_cores_most=${1.5}    memory_bytes_mean=${9000000}    memory_bytes_most=${9000000}
