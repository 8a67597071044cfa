*** Settings ***
Documentation     A cluster from a tool of your own: what it takes is a command that brings one up and tells its
...               kubeconfig, and one that takes it down. Here that tool is the sandbox's own command; with kind it were
...               `kind create cluster --kubeconfig ...` and `kind delete cluster`.

Library           OperatingSystem
Library           Process
Library           ../../libraries/K3sLibrary/
Library           ../../libraries/KubernetesLibrary/
Library           ../../libraries/PropagatorLibrary/

Suite Setup       Bring My Cluster Up
Suite Teardown    Take My Cluster Down


*** Test Cases ***
My Cluster Can Be Worked With
    [Documentation]    A workload runs there.
    Cluster Should Be Ready
    Create Namespace    my-tests
    Apply Manifest    ${CURDIR}/my_workload.yaml    my-tests
    Wait Until Pod Is Ready    my-workload    my-tests


*** Keywords ***
Bring My Cluster Up
    [Documentation]    Runs the tool, and uses the kubeconfig that it made.
    VAR    ${facts}    ${TEMPDIR}/my-cluster-${{uuid.uuid4()}}.json
    VAR    ${FACTS_FILE}    ${facts}    scope=SUITE    # robocop: off=VAR05
    Start Process    ${{sys.executable}}    -m    sandbox    alias=my-tool    stdout=${facts}
    ...    env:PYTHONPATH=${CURDIR}/../../libraries
    Wait Until Keyword Succeeds    60 s    0.2 s    File Should Not Be Empty    ${facts}
    ${text}=    Get File    ${facts}
    VAR    ${told}    ${{json.loads($text)}}
    Start Cluster    existing    kubeconfig=${told}[kubeconfig]
    Connect To Propagator    ${told}[propagator_url]    ${{robot.api.types.Secret($told['token'])}}

Take My Cluster Down
    [Documentation]    Removes what the tests made in the cluster, and then the cluster.
    Remove Everything This Run Made
    Nothing Should Be Left
    Terminate Process    my-tool
    Remove File    ${FACTS_FILE}
