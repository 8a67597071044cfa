*** Settings ***
Resource            report.resource

*** Test Cases ***
Killed
    GROUP    Done before the end
        No Operation
    END
    GROUP    Being killed
        Kill This Run
    END
