*** Settings ***
Documentation     Workloads that print nothing prove that they went on by their own memory: a server's nonce and chained
...               count, nginx's count of requests, a counter in redis. A fresh start comes out as restarted in each.

Resource          ../resources/witnesses.resource

Suite Setup       Acquire Environment Beside Control Arms Of Each Kind
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    witnesses    test:retry(1)


*** Test Cases ***
A Server's Memory Goes On Over HTTP
    [Documentation]    The server that is asked through its Service after the restore has the nonce and the count that
    ...    it had before, and its chain of hashes follows.
    Deploy Workload    http-witness
    ${before}=    Observe Sampled Workload    http    route=service    service=test-http-witness
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

Nginx Remembers The Requests That It Counted
    [Documentation]    nginx's count of requests goes on above what it was, which a fresh start could not show.
    Deploy Workload    nginx-status
    ${before}=    Observe Sampled Workload    stub_status
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

Redis Remembers What It Counted In Memory
    [Documentation]    A counter in redis, which has nothing on disk, goes on at the very next number.
    Deploy Workload    redis
    ${before}=    Observe Sampled Workload    redis
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

Servers That Are Only Created Again Come Out As Restarted
    [Documentation]    The control arms: each kind of witness beside the real one, deleted and created again without a
    ...    restore. If one came out as anything but restarted, no verdict of its kind could be trusted.
    [Tags]    control    -test:retry(1)
    Control Arm Of Workload Should Have Restarted    test-http-witness
    Control Arm Of Workload Should Have Restarted    test-nginx-status
    Control Arm Of Workload Should Have Restarted    test-redis
