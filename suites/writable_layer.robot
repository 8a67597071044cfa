*** Settings ***
Documentation     What a process wrote into its container's files is there after the restore, and it reads and writes on
...               where it was in the files that it had open; and what it had of its configuration is as it was.
...
...               The marker's value is drawn by the test and given to the running process, so that a fresh start cannot
...               write it again. Promised are contents, modes and deletions in the container's writable layer, and the
...               place in open files, also of one whose name was deleted. Not promised, and so not looked at, are times
...               of files, and volumes: an emptyDir and /dev/shm are new and empty on stock runtimes. Where the node's
...               runtime keeps containers in a snapshotter without a layer of their own (native), a runtime that saves
...               the overlay's upper directory has nothing to save, and these tests fail with files-lost.

Resource          ../resources/writable_layer.resource

Suite Setup       Acquire Environment Beside A Control Arm    files    files    open-files    config
Suite Teardown    Release Environment After The Control Arm
Test Teardown     Remove Workload

Test Tags         e2e    k3s    propagator    checkpoint    restore    writable-layer    test:retry(1)


*** Test Cases ***
What A Process Wrote After Its Start Is There After The Restore
    [Documentation]    A new file with its mode, a changed file of the image, and a deleted one.
    Deploy Workload    files
    ${value}=    Order Changes To Files
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Changes To Files Should Be There    ${value}
    Clean Up Checkpoint

A Process Goes On In The Files That It Had Open
    [Documentation]    It has one file open for reading, one for writing, and one that was deleted meanwhile.
    Deploy Workload    open-files
    ${lines}=    Journal Should Be Whole
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Journal Should Go On    ${lines}
    Clean Up Checkpoint

A Process Keeps The Values Of Its ConfigMap That It Was Started With
    [Documentation]    The ConfigMap has other values by the time of the restore. The process holds the earlier ones in
    ...    its environment and its memory, as any process does; the mounted files are the new pod's, and are only noted.
    Deploy Workload    config
    ${before}=    Observe Workload
    Checkpoint Workload
    Give ConfigMap Other Values
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Process Should Have The Values Of The Checkpoint
    Clean Up Checkpoint

A Pod That Is Only Created Again Comes Out As Restarted
    [Documentation]    The control arm: the same workload, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Should Have Restarted
